// What of a session's relay is the protocol's: the first words to the client, and what is looked at behind them.

import { recogniseFirstBytes } from '../mail/first-bytes.ts';
import { LoginFilter } from '../mail/login-filter.ts';
import type { Protocol } from '../mail/protocol.ts';
import type { FirstBytes, RelayFilter } from '../net/relay.ts';
import type { Greeting } from './prove.ts';

export interface Words {
  /** As it was proved. */
  readonly greeting: Greeting;
  /** The same as the login filter lets it through. */
  readonly toClient: Uint8Array;
  readonly filter: RelayFilter | null;
  readonly firstBytes: FirstBytes | null;
}

/** Over `tls` nothing is known of what is said, and nothing is looked at. */
export function wordsOf(protocol: Protocol, greeting: Greeting): Words {
  if (protocol === 'tls') return { greeting, toClient: greeting.bytes, filter: null, firstBytes: null };
  const filter = new LoginFilter({ protocol, clientTls: 'off' });
  return {
    greeting,
    toClient: filter.downstream(greeting.bytes),
    filter,
    firstBytes: (bytes) => recogniseFirstBytes(bytes, protocol),
  };
}
