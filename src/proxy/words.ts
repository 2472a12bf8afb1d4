// What of a session's relay is the protocol's: the first words to the client, and what is looked at behind them.

import { Failure, Refusal } from '../errors.ts';
import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import { LoginFilter } from '../mail/login-filter.ts';
import type { FirstBytes, RelayFilter } from '../net/relay-options.ts';
import type { Greeting } from './prove.ts';
import type { Route } from './route.ts';

export interface Words {
  /** As it was proved. */
  readonly greeting: Greeting;
  /** What the client is told first, as the login filter lets it through. */
  readonly toClient: Uint8Array;
  readonly filter: RelayFilter | null;
  readonly firstBytes: FirstBytes | null;
}

/**
 * Over `tls` nothing is known of what is said, and nothing is looked at. A client of a STARTTLS port was greeted by us
 * already, so exactly one greeting is swallowed, but for ManageSieve, where TLS is followed by the capabilities again. What
 * cannot be swallowed: Refusal `preauth` (the client would log in all the same), Failure `no-greeting` (a server that says no).
 */
export function wordsOf({ protocol, clientTls }: Route, greeting: Greeting): Words {
  if (protocol === 'tls') return { greeting, toClient: greeting.bytes, filter: null, firstBytes: null };
  const filter = new LoginFilter({ protocol, clientTls: clientTls.mode });
  const swallowed = clientTls.mode === 'starttls' && protocol !== 'sieve';
  if (swallowed) refuseUnswallowable(greeting);
  const first = filter.downstream(greeting.bytes.subarray(0, greeting.bytes.length - greeting.behind));
  const rest = filter.downstream(greeting.bytes.subarray(greeting.bytes.length - greeting.behind));
  return {
    greeting,
    toClient: swallowed ? rest : Buffer.concat([first, rest]),
    filter,
    firstBytes: (bytes) => recogniseFirstBytes(bytes, protocol),
  };
}

function refuseUnswallowable({ verdict, quote }: Greeting): void {
  const cause = new Error(quote);
  if (verdict === 'preauth') throw new Refusal('preauth', undefined, { cause });
  if (verdict === 'negative') throw new Failure('no-greeting', undefined, { cause });
}
