// The sentence a person reads when a session does not come about: the same in log, page and mail client. ASCII
// only, about 100 characters, the cause first, and right when a client shows it in capitals.

import type { Endpoint } from '../endpoint.ts';
import { failures, refusals, type FailureReason, type RefusalReason } from '../errors.ts';

/** Longest sentence, in characters. Mail clients cut in the middle of longer ones. */
export const maxSentence = 160;
const shortestHost = 24;

/** `reference` finds the key that was refused; without one the code stands in its place. */
export function refusalSentence(
  { host }: Pick<Endpoint, 'host'>,
  { reason, reference }: { readonly reason: RefusalReason; readonly reference: string | null },
): string {
  return sentence('letterlock refused', host, {
    cause: refusals[reason].cause,
    explain: reference ?? reason,
  });
}

export const failureSentence = ({ host }: Pick<Endpoint, 'host'>, reason: FailureReason): string =>
  sentence('letterlock could not reach', host, { cause: failures[reason].cause, explain: reason });

function sentence(
  start: string,
  host: string,
  { cause, explain }: { readonly cause: string; readonly explain: string },
): string {
  const rest = `: ${cause}. Nothing was sent. Run: letterlock explain ${explain}`;
  const room = Math.max(shortestHost, maxSentence - start.length - 1 - rest.length);
  return `${start} ${shortened(host, room)}${rest}`;
}

/** The end of a host name says whose it is, so that is what stays. */
function shortened(host: string, room: number): string {
  const ascii = host.replace(/[^\x21-\x7e]/g, '?');
  return ascii.length <= room ? ascii : `...${ascii.slice(ascii.length - room + 3)}`;
}
