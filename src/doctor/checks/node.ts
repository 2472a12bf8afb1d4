// Is the Node that runs letterlock still mended when a hole is found in it or in its OpenSSL?

import { finding, type Finding } from '../finding.ts';

export interface NodeFacts {
  /** `20.19.0` */
  readonly node: string;
  readonly openssl: string;
  /** OpenSSL is the system's own, and is mended with the system. */
  readonly sharedOpenssl: boolean;
  readonly now: number;
}

/** The day security fixes end, by major version (nodejs.org/en/about/previous-releases). Odd ones live half a year. */
const ends: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};
const oldest = 20;
const soonMs = 90 * 86_400_000;

export function checkNode(facts: NodeFacts): readonly Finding[] {
  const { node, openssl, sharedOpenssl, now } = facts;
  const major = Number.parseInt(node, 10);
  const runs = `Node ${node} with OpenSSL ${openssl}${sharedOpenssl ? ' of the system' : ''}`;
  const end = ends[major];
  if (major < oldest)
    return [
      finding('node', 'fault', {
        message: `${runs} is too old`,
        meaning: 'letterlock is tested with Node 20.19 and later.',
        advice: 'Install a Node that is maintained, 24 or 26.',
      }),
    ];
  // What this letterlock does not know yet is newer than it.
  if (end === undefined) return [finding('node', 'ok', { message: runs })];
  const endsAt = Date.parse(end);
  if (now >= endsAt)
    return [
      finding('node', 'warning', {
        message: `${runs}: its fixes ended on ${end}`,
        meaning:
          'Holes found in it since then stay open, those of its TLS as well, unless your distribution mends them.',
        advice: 'Install a Node that is maintained, 24 or 26.',
      }),
    ];
  if (endsAt - now < soonMs)
    return [
      finding('node', 'note', {
        message: `${runs}: its fixes end on ${end}`,
        advice: 'Plan the change to 24 or 26.',
      }),
    ];
  return [finding('node', 'ok', { message: `${runs}, maintained until ${end}` })];
}
