// Do the names of the servers have addresses?

import { finding, type Finding } from '../finding.ts';

export interface NameFacts {
  readonly host: string;
  readonly ipv4: number;
  readonly ipv6: number;
  /** What the system said instead of addresses (`ENOTFOUND`); null where it gave some. */
  readonly error: string | null;
}

export type DnsFacts =
  { readonly state: 'offline' } | { readonly state: 'asked'; readonly names: readonly NameFacts[] };

export function checkDns(facts: DnsFacts): readonly Finding[] {
  if (facts.state === 'offline') return [finding('dns', 'note', { message: 'not asked (--offline)' })];
  if (facts.names.length === 0)
    return [finding('dns', 'ok', { message: 'no name has to be looked up here' })];
  const failed = facts.names.filter(({ error }) => error !== null);
  const found = facts.names.filter(({ error }) => error === null);
  return [
    ...failed.map(failedFinding),
    ...(found.length === 0 ? [] : [finding('dns', 'ok', { message: found.map(addressesOf).join('; ') })]),
  ];
}

const addressesOf = ({ host, ipv4, ipv6 }: NameFacts): string =>
  `${host}: ${[...(ipv4 > 0 ? [`${ipv4} IPv4`] : []), ...(ipv6 > 0 ? [`${ipv6} IPv6`] : [])].join(', ')}`;

function failedFinding({ host, error }: NameFacts): Finding {
  if (error === 'ENOTFOUND' || error === 'ENODATA')
    return finding('dns', 'fault', {
      message: `${host} has no address (${error})`,
      meaning: 'Its clients are told that the server could not be reached.',
      advice: 'Correct the name in the configuration; or, if it is right, ask whoever runs the name server.',
    });
  return finding('dns', 'fault', {
    message: `${host} could not be looked up (${error ?? ''})`,
    meaning: 'No name server answered in time.',
    advice: 'Look at the network and /etc/resolv.conf of this machine.',
  });
}
