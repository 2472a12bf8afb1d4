// Last words. A server that gives up an idle connection says so, and what it says may cross with the client's first
// command: it is told from an answer here. And what a client that wanted nothing says when it leaves.

import type { Protocol } from './protocol.ts';

/**
 * Whether `said`, the beginning of what a server says after its greeting, only tells that it closes, so that the command
 * line `asked` was not carried out. Never so for POP3, where it cannot be told from an answer.
 */
export function isGoodbye(
  protocol: Protocol,
  { said, asked }: { readonly said: Uint8Array; readonly asked: Uint8Array },
): boolean {
  const [line, command] = [latin1(said), latin1(asked)];
  switch (protocol) {
    case 'imap':
      // RFC 9051 section 7.1.5.
      return /^\* BYE\b/i.test(line) && !/^\S+ LOGOUT\s*$/i.test(command);
    case 'smtp':
    case 'lmtp':
      // RFC 5321 section 3.8: 421 may come for any command.
      return /^421\b/.test(line);
    case 'sieve':
      // RFC 5804 section 1.2.
      return /^BYE\b/i.test(line);
    case 'pop3':
    case 'tls':
      return false;
  }
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** What a client says that leaves before it logged in; null where nobody knows. */
export function goodbyeFor(protocol: Protocol): string | null {
  switch (protocol) {
    case 'imap':
      // RFC 9051 section 6.1.3.
      return 'l1 LOGOUT\r\n';
    case 'pop3':
    case 'smtp':
    case 'lmtp':
      return 'QUIT\r\n';
    case 'sieve':
      // RFC 5804 section 2.3.
      return 'LOGOUT\r\n';
    case 'tls':
      return null;
  }
}
