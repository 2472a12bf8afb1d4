// What a program names to connect to: a URL of a mail protocol or of TLS, or HOST:PORT with the protocol whose STARTTLS
// is spoken first.

import { parseUpstream } from '../config/upstream.ts';
import { UnusableValue } from '../config/unusable.ts';
import { endpointOf, parseEndpoint, type Endpoint } from '../endpoint.ts';
import type { Protocol, UpstreamTls } from '../mail/protocol.ts';

export interface Target {
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
}

export const starttlsProtocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'] as const;
export type StarttlsProtocol = (typeof starttlsProtocols)[number];

/** @throws RangeError naming the value */
export function targetFrom(text: string, starttls: StarttlsProtocol | undefined): Target {
  if (starttls !== undefined && !starttlsProtocols.includes(starttls))
    throw new RangeError(
      `starttls is ${JSON.stringify(starttls)}, and must be one of ${starttlsProtocols.join(', ')}`,
    );
  if (!text.includes('://')) {
    const endpoint = parseEndpoint(text);
    return starttls === undefined
      ? { endpoint, protocol: 'tls', upstreamTls: 'implicit' }
      : { endpoint, protocol: starttls, upstreamTls: 'starttls' };
  }
  if (starttls !== undefined)
    throw new RangeError(`${JSON.stringify(text)} says by its scheme whether STARTTLS is spoken`);
  const { scheme, host, port } = readUrl(text);
  return {
    endpoint: endpointOf(host.host, port),
    protocol: scheme.protocol,
    upstreamTls: scheme.upstreamTls,
  };
}

function readUrl(text: string): ReturnType<typeof parseUpstream> {
  try {
    return parseUpstream(text);
  } catch (cause) {
    if (!(cause instanceof UnusableValue) || cause.suggestion === null) throw cause;
    throw new RangeError(`${cause.message}: ${cause.suggestion}`, { cause });
  }
}
