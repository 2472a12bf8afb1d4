// The sentence a person reads when a session does not come about: the same in log, page and mail client. ASCII
// only, about 100 characters, the cause first, and right when a client shows it in capitals.

import type { Endpoint } from '../endpoint.ts';
import { failures, refusals, type FailureReason, type RefusalReason } from '../errors.ts';

/** Longest sentence, in characters. Mail clients cut in the middle of longer ones. */
export const maxSentence = 160;
const shortestHost = 14;

/** The connection it is said on, `K7Q-123`: a picture of the sentence leads to its line of the log. Absent: there is no log. */
interface Said {
  readonly connection?: string;
}

/** `reference` finds the key that was refused; without one the code stands in its place. */
export function refusalSentence(
  { host }: Pick<Endpoint, 'host'>,
  said: Said & { readonly reason: RefusalReason; readonly reference: string | null },
): string {
  const { reason, reference } = said;
  return sentence('letterlock refused', host, {
    ...said,
    cause: refusals[reason].cause,
    explain: reference ?? reason,
  });
}

export const failureSentence = (
  { host }: Pick<Endpoint, 'host'>,
  said: Said & { readonly reason: FailureReason },
): string =>
  sentence('letterlock could not reach', host, {
    ...said,
    cause: failures[said.reason].cause,
    explain: said.reason,
  });

/** The command stays at the end, where it can be copied; a bare `#` would be a comment to the shell. */
function sentence(
  start: string,
  host: string,
  { cause, explain, connection }: Said & { readonly cause: string; readonly explain: string },
): string {
  const id = connection === undefined ? '' : ` (#${connection})`;
  const rest = `: ${cause}. Nothing was sent${id}. Run: letterlock explain ${explain}`;
  const room = Math.max(shortestHost, maxSentence - start.length - 1 - rest.length);
  return `${start} ${shortened(host, room)}${rest}`;
}

/** The end of a host name says whose it is, so that is what stays. */
function shortened(host: string, room: number): string {
  const ascii = host.replace(/[^\x21-\x7e]/g, '?');
  return ascii.length <= room ? ascii : `...${ascii.slice(ascii.length - room + 3)}`;
}
