// IMAP before TLS on the client's side (RFC 9051 sections 6.2.1 and 7.2.2). LOGINDISABLED alone protects nothing:
// several clients send LOGIN all the same, so every login is refused here. No literal is read before TLS.

import { isTaggedWord, literalAt, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import { tagForm } from './imap.ts';
import type { LocalPrologueEnd } from './local-prologue.ts';

const capabilities = 'IMAP4rev1 STARTTLS LOGINDISABLED';

export function* imapLocalPrologue(): Conversation<LocalPrologueEnd> {
  yield { send: `* OK [CAPABILITY ${capabilities}] letterlock ready\r\n` };
  for (;;) {
    const line = (yield { receive: 'line' })?.bytes ?? new Uint8Array();
    const tag = wordAt(line, 0);
    const { send, end } = answer(line, tagForm.test(tag) ? tag : null);
    yield { send };
    if (end !== null) return end;
  }
}

interface Answer {
  readonly send: string;
  readonly end: LocalPrologueEnd | null;
}

/** Every tagged OK carries a text: without one, some clients wait for ever. */
function answer(line: Uint8Array, tag: string | null): Answer {
  const literal = literalAt(line);
  // Its octets follow whatever is answered, and nothing that may hold a password is waited for in clear.
  if (literal !== null && !literal.waits)
    return { send: '* BYE no literals before STARTTLS\r\n', end: 'over' };
  if (tag === null || !line.includes(0x20)) return goOn('* BAD a tag and a command are expected\r\n');
  const bare = isTaggedWord(line);
  switch (wordAt(line, 1).toUpperCase()) {
    case 'CAPABILITY':
      return goOn(bare ? `* CAPABILITY ${capabilities}\r\n${tag} OK that is all\r\n` : bad(tag));
    case 'NOOP':
      return goOn(bare ? `${tag} OK nothing new\r\n` : bad(tag));
    case 'LOGOUT':
      return bare ? { send: `* BYE goodbye\r\n${tag} OK goodbye\r\n`, end: 'over' } : goOn(bad(tag));
    case 'STARTTLS':
      return bare ? { send: `${tag} OK begin TLS now\r\n`, end: 'starttls' } : goOn(bad(tag));
    default:
      return goOn(`${tag} NO [PRIVACYREQUIRED] STARTTLS first\r\n`);
  }
}

const goOn = (send: string): Answer => ({ send, end: null });
const bad = (tag: string): string => `${tag} BAD this command takes no arguments\r\n`;
