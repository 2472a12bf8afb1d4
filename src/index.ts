// The library's door: what programs may rely on. Everything else is letterlock's own business and may move.

import { isVouched, type Vouched } from './trust/vouched.ts';

export { isVouched, type Vouched };
export { Tofu } from './tofu.ts';
export type { Judged, Question, Settled, TofuOptions } from './tofu.ts';
export type { Listener, TrustEvent } from './tofu/event.ts';
export { endpointOf, parseEndpoint, type Endpoint } from './endpoint.ts';
export {
  CommandError,
  Failure,
  LetterlockError,
  Refusal,
  type FailureReason,
  type RefusalReason,
} from './errors.ts';
export type { AnchorSet } from './net/anchors.ts';
export { loadAnchors } from './net/anchors.ts';
export type { Resolver } from './net/resolver.ts';
export { TlsaFinder, type TlsaFinderOptions } from './net/tlsa.ts';
export { openMemoryStore } from './store/memory.ts';
export type { PinStore } from './store/pin-store.ts';
export type { DaneResult, TlsaAnswer, TlsaRecord } from './trust/dane.ts';
export type { Command, CommandAnswer } from './trust/command.ts';
export type { Evidence, Examined, FirstUse, Peer, Policy, TrustSettings, Verdict } from './trust/evidence.ts';
export type { Fault } from './trust/fault.ts';
export { judge } from './trust/policy.ts';
export type { EndpointRecord, Pin } from './trust/record.ts';
