// IPv6 on this machine: for clients that try ::1 first, and for servers that have nothing else.

import { finding, type Finding } from '../finding.ts';

export interface Ipv6Facts {
  /** ::1 can be bound. */
  readonly loopback: boolean;
  /** There is a default route; null where that cannot be told. */
  readonly route: boolean | null;
  /** Servers with IPv6 addresses and no others. */
  readonly only: readonly string[];
}

export function checkIpv6({ loopback, route, only }: Ipv6Facts): readonly Finding[] {
  const found: Finding[] = [];
  if (route === false && only.length > 0)
    found.push(
      finding('ipv6', 'fault', {
        message: `${only.join(', ')} can be reached over IPv6 only, and this machine has no route for it`,
        meaning: 'Their clients are told that the server could not be reached.',
        advice: 'Give this machine IPv6, or name an address that it can reach: address: HOST.',
      }),
    );
  if (!loopback)
    found.push(
      finding('ipv6', 'note', {
        message: 'this machine has no ::1',
        meaning:
          'Routes on localhost listen on 127.0.0.1 alone; a client that tries ::1 first just tries again.',
      }),
    );
  if (found.length > 0) return found;
  if (route === false)
    return [
      finding('ipv6', 'ok', { message: '::1 is there; no route to servers over IPv6, and none needs it' }),
    ];
  return [
    finding('ipv6', 'ok', {
      message: route === null ? '::1 is there' : '::1 is there, and a route to servers over IPv6',
    }),
  ];
}
