// How a session's end is told: the outcome for metrics, the detail for the log. Details are escaped and
// bounded, and never hold a byte of the client's.

import { Failure, isFailure, type FailureReason } from '../errors.ts';
import { DialFailure } from '../net/dial.ts';
import type { RelayOver } from '../net/relay-options.ts';
import { escapeText } from '../trust/escape.ts';
import { ClientRejected, rejectionText } from './client-leg.ts';
import type { SessionOutcome } from './events.ts';
import type { ClientTlsSettings } from './route.ts';

/** The outcome, what the client was told, and what the log says besides. */
export type Ending = SessionOutcome & { readonly said: string | null; readonly detail: string | null };

const detailLength = 300;

/** Of a relay that began. `reason` is why it was aborted, when it was; `mode` the client's TLS. */
export function endingOf(
  end: RelayOver,
  { reason, mode }: { readonly reason: unknown; readonly mode: ClientTlsSettings['mode'] },
): Ending {
  switch (end.state) {
    case 'ended':
      return relayed(null);
    case 'idle':
      return relayed('nothing moved within the idle time');
    case 'aborted':
      return relayed(`reset: ${detailOf(reason) ?? 'aborted'}`);
    case 'broken':
      // A client that breaks off its own session is no failure of anybody's.
      if (end.side === 'client') return relayed(`the client broke off: ${end.detail}`);
      // Mail programs say QUIT and leave; a server that closes before it read our end resets the connection.
      if (end.parted) return relayed(`the server broke off after the client had ended: ${end.detail}`);
      return {
        outcome: 'failed',
        reason: 'relay',
        said: null,
        detail: `the server broke off: ${end.detail}`,
      };
    case 'rejected': {
      const rejection = end.found === 'http' ? 'http' : 'tls-on-plain';
      return { outcome: 'rejected', reason: rejection, said: null, detail: rejectionText(rejection, mode) };
    }
  }
}

const relayed = (detail: string | null): Ending => ({ outcome: 'relayed', reason: null, said: null, detail });

/** What is not a failure of the world is a mistake of ours. */
export const failureOf = (error: unknown): FailureReason =>
  error instanceof Failure && isFailure(error.code) ? error.code : 'internal';

/** One line for the log. */
export function detailOf(error: unknown): string | null {
  const text = textOf(error);
  return text === null || text === '' ? null : escapeText(text).slice(0, detailLength);
}

function textOf(error: unknown): string | null {
  if (error instanceof DialFailure) return error.detail;
  if (!(error instanceof Error)) return null;
  if (error instanceof ClientRejected) return error.message;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
