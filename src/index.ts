// The library's door: what programs may rely on. Everything else is letterlock's own business and may move.

import { isVouched, type Vouched } from './trust/vouched.ts';

export { isVouched, type Vouched };
export { Tofu, type TofuOptions } from './library/tofu.ts';
export type { Connection, ConnectOptions, WayOptions } from './library/connect.ts';
export type { Answer, Decide } from './library/decision.ts';
export type { Hooks, KeyEvent } from './library/hooks.ts';
export type { Inspection } from './library/inspect.ts';
export type { TrustOptions } from './library/options.ts';
export type { AddOptions, ApproveOptions, ForgetOptions, RejectOptions } from './library/orders.ts';
export type { SettingsOptions } from './library/settings.ts';
export { TrustError, type KnownPin } from './library/trust-error.ts';
export {
  describeCertificate,
  describeCertificates,
  fingerprints,
  type CertificateDescription,
} from './certificate.ts';
export type { PinsRow } from './admin/shapes.ts';
export { parseEndpoint, type Endpoint } from './endpoint.ts';
export {
  CommandError,
  Failure,
  LetterlockError,
  MisuseError,
  Refusal,
  type FailureReason,
  type Misuse,
  type RefusalReason,
} from './errors.ts';
export type { PinStore } from './store/pin-store.ts';
export type { CommandAnswer } from './trust/command.ts';
export type { AcceptBasis, FirstUse, Policy, Verdict } from './trust/evidence.ts';
export type { Explanation } from './trust/explanation.ts';
export type { Fault } from './trust/fault.ts';
