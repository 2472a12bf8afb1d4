// The prologue of every protocol that has one: what is said upstream in clear until the server's go-ahead for
// TLS. STARTTLS is always required; there is no way through here that goes on without it.

import type { TalkLimits } from './conversation.ts';
import { imapPrologue } from './imap.ts';
import { pop3Prologue } from './pop3.ts';
import type { Prologue } from './prologue-result.ts';
import type { Protocol } from './protocol.ts';
import { sievePrologue } from './sieve.ts';
import { smtpPrologue } from './smtp.ts';

export {
  concludePrologue,
  prologueFault,
  type Prologue,
  type PrologueReason,
  type PrologueResult,
} from './prologue-result.ts';

/** Limits of everything a server says before TLS, where the configuration says nothing else. */
export const prologueLimits: TalkLimits = {
  lineBytes: 8192,
  totalBytes: 65_536,
  lines: 64,
  lineEnds: 'crlf',
};

/**
 * The prologue of a protocol, to be driven by a Talk with `prologueLimits`. A result of ok stands only after
 * `concludePrologue` saw that no byte was left over.
 */
export function prologue(protocol: Exclude<Protocol, 'tls'>): Prologue {
  switch (protocol) {
    case 'imap':
      return imapPrologue();
    case 'pop3':
      return pop3Prologue();
    case 'smtp':
      return smtpPrologue('EHLO');
    case 'lmtp':
      return smtpPrologue('LHLO');
    case 'sieve':
      return sievePrologue();
  }
}
