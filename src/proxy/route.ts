// A route binds local listening places to one endpoint, or to several that stand in for each other, with a
// protocol and a TLS mode on each side. Types and small facts only; src/config makes routes.

import type { Endpoint } from '../endpoint.ts';
import type { Protocol, UpstreamTls } from '../mail/protocol.ts';
import type { TrustSettings } from '../trust/evidence.ts';

/** Where a listener binds. */
export type ListenPlace =
  /** `host: 'localhost'` binds every loopback family there is; port 0 any free port. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A socket file, made with `mode` (no moment with a wider one) and given to `group` where there is one. */
  | { readonly kind: 'unix'; readonly path: string; readonly mode: number; readonly group: string | null }
  /** A listening socket that the service manager passed under this name (LISTEN_FDNAMES). */
  | { readonly kind: 'fd'; readonly name: string };

export type RefusalStyle = 'greeting' | 'login';

/** Where to connect. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Where a server is looked at from before its key is remembered. */
export type Vantage =
  /** Another port of the same host; null: with what mail servers speak there. */
  | { readonly kind: 'port'; readonly port: number; readonly scheme: string | null }
  /** Other addresses of the same name. */
  | { readonly kind: 'addresses' }
  /** The same server by way of a proxy. */
  | { readonly kind: 'proxy'; readonly via: Via };

/** One server: the unit of trust, and how to get there. */
export interface Target {
  readonly endpoint: Endpoint;
  /** Canonical URL of the upstream, as shown in status, logs and page. */
  readonly upstream: string;
  /** Connect here, in this order, instead of to the endpoint's name, which is still what is verified. Empty: its name. */
  readonly addresses: readonly Place[];
  /** Anchor sources: `system` or PEM file paths. */
  readonly anchors: readonly string[];
  /** Paths of revocation lists; absent where there are none. */
  readonly crlFiles?: readonly string[];
  readonly trust: TrustSettings;
  /** Where a first use is looked at from, if trust.corroborate asks for it; absent: nowhere. */
  readonly vantages?: readonly Vantage[];
}

/** Oldest TLS version a client may speak on its leg. */
export const clientTlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type ClientTlsVersion = (typeof clientTlsVersions)[number];

/** TLS between mail client and letterlock. */
export interface ClientTlsSettings {
  readonly mode: 'off' | 'starttls' | 'implicit';
  readonly minVersion: ClientTlsVersion;
  /** PEM files of the operator's own; null: a leaf of the local CA. */
  readonly files: { readonly certificate: string; readonly key: string } | null;
}

/** A proxy on the way to the server; it sees TLS only. */
export interface Via {
  readonly kind: 'socks5' | 'http';
  readonly host: string;
  readonly port: number;
  readonly login: { readonly user: string; readonly password: string } | null;
}

/** The route's own fields of Target are its first server. */
export interface Route extends Target {
  /** Unique; default canonical scheme and listening port, `imaps-1143`. */
  readonly name: string;
  /** At least one. */
  readonly listen: readonly ListenPlace[];
  readonly unsafeListen: boolean;
  /** Uids whose connections are served (Linux); null: no check. */
  readonly allowUsers: readonly number[] | null;
  readonly clientTls: ClientTlsSettings;
  /** Tried in this order when the servers before them cannot be reached; each is an endpoint of its own. */
  readonly others: readonly Target[];
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
  readonly via: Via | null;
  /** PEM files; shown only to a server whose record would accept it. */
  readonly clientCertificate: { readonly certificate: string; readonly key: string } | null;
  /** Oldest TLS version spoken to the server, unless it is a `legacyServer`. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Speaks TLS 1.0 and weak ciphers to the server; accepted on a live pin only. */
  readonly legacyServer: boolean;
  /** Verified and greeted connections kept ready; 0: none. */
  readonly warm: number;
  /** So long after the last time, at most, its servers are asked without a client; null: never. */
  readonly watchMs: number | null;
  readonly refusal: RefusalStyle;
  readonly refusalCode: 421 | 554;
  readonly limits: Limits;
}

/** All servers of a route, in the order they are tried. */
export const targetsOf = (route: Route): readonly Target[] => [route, ...route.others];

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
