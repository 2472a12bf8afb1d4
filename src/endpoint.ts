// The unit of trust: canonical `name:port`. A key pinned for one endpoint vouches for no other, so two
// spellings of one name must never become two endpoints, and two names never one.

/** Canonical endpoint. `name` is the map key everywhere: `imap.example.org:993`, `[2001:db8::1]:993`. */
export interface Endpoint {
  readonly name: string;
  /** A-label host in lower case, dotted IPv4, or RFC 5952 IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly kind: 'dns' | 'ip';
}
