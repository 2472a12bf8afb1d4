// A route binds one local listening address to one endpoint, a protocol and a TLS mode.

import type { Endpoint } from '../endpoint.ts';
import type { Protocol, UpstreamTls } from '../mail/protocol.ts';
import type { TrustSettings } from '../trust/evidence.ts';

/** Where a listener binds. `host: 'localhost'` binds every loopback family there is. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export type RefusalStyle = 'greeting' | 'login';

export interface Route {
  /** Unique; default canonical scheme and listening port, `imaps-1143`. */
  readonly name: string;
  readonly listen: ListenAddress;
  readonly unsafeListen: boolean;
  readonly endpoint: Endpoint;
  /** Canonical URL of the upstream, as shown in status, logs and page. */
  readonly upstream: string;
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
  /** Connect here instead of to the endpoint's name; the endpoint's name is still what is verified. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Anchor sources: `system` or PEM file paths. */
  readonly anchors: readonly string[];
  readonly trust: TrustSettings;
  readonly refusal: RefusalStyle;
  readonly refusalCode: 421 | 554;
  readonly limits: Limits;
}

/** Totals for each phase, not idle times; `lineBytes` and `preTlsBytes` hold before upstream TLS only. */
export interface Limits {
  readonly connections: number;
  readonly dialSeconds: number;
  readonly handshakeSeconds: number;
  readonly greetingSeconds: number;
  readonly idleMinutes: number;
  readonly preTlsBytes: number;
  readonly lineBytes: number;
}
