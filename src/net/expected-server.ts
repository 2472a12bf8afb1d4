// Whether a server that letterlock itself asks (a resolver, the receiver of a webhook) is the one that was meant: by its name
// and a CA, by its key, or by both. Nobody is trusted on first use here, and nothing is remembered.

import { endpointOf } from '../endpoint.ts';
import type { Peer } from '../trust/evidence.ts';
import { Examiner } from '../trust/examine.ts';
import type { AnchorSet } from './anchors.ts';

/** At least one of `name` and `pins` must be given; where both are, both must hold. */
export interface ExpectedServer {
  readonly host: string;
  readonly port: number;
  /** What its certificate must be CA-verified for. */
  readonly name: string | null;
  /** `sha256//…`; its key must be one of them. */
  readonly pins: readonly string[];
  readonly anchors: AnchorSet;
}

/** Null when it is; else what is wrong, in a few plain words. */
export function unexpected(
  peer: Peer,
  { name, pins, host, port, anchors }: ExpectedServer,
  now: number,
): string | null {
  if (peer.resumed) return 'it resumed a TLS session and showed no certificate';
  if (name === null && pins.length === 0) return 'nothing says how to know it';
  if (pins.length > 0 && (peer.spki === null || !pins.includes(peer.spki)))
    return 'its key is not the one pinned for it';
  if (name === null) return null;
  const examined = new Examiner().examine(peer.chain, {
    anchors,
    endpoint: endpointOf(name, port),
    chainError: peer.chainError,
    profile: peer.tls.profile,
    now,
    clockSuspect: false,
  });
  if (examined.caValid) return null;
  return `${host} is not CA-verified as ${name} (${examined.faults.join(', ')})`;
}
