// The IMAP farewell (RFC 9051 section 7.1): BYE as the greeting, which most clients show; or, for those which
// only show the answer to a login, a dialogue that says NO [UNAVAILABLE] to it. The second kind is handed the
// password on the local leg; it never passes it on and never keeps it.

import { isTaggedWord, literalAt, wordAt } from './command-line.ts';
import type { Conversation, Line } from './conversation.ts';
import type { FarewellEnd, FarewellTls } from './farewell.ts';
import { tagForm } from './imap.ts';

/** Longest literal swallowed to reach the rest of its command, octets. */
export const swallowedLiteral = 4096;

interface Told {
  readonly kind: 'refusal' | 'failure';
  readonly text: string;
  readonly style: 'greeting' | 'login';
  readonly tls: FarewellTls;
}

export function* imapFarewell({ kind, text, style, tls }: Told): Conversation<FarewellEnd> {
  if (kind === 'refusal' && style === 'login') return yield* dialogue(text, tls);
  yield { send: kind === 'refusal' ? `* BYE [ALERT] ${text}\r\n` : `* BYE ${text}\r\n` };
  return 'over';
}

function* dialogue(text: string, tls: FarewellTls): Conversation<FarewellEnd> {
  // There is no greeting after STARTTLS.
  if (tls !== 'made') yield { send: `* OK [ALERT] ${text}\r\n` };
  for (;;) {
    const { tag, verb, cut, bare } = yield* receiveCommand();
    if (tls === 'offered' && tag !== null && verb === 'STARTTLS' && bare) {
      yield { send: `${tag} OK begin TLS now\r\n` };
      return 'starttls';
    }
    const more = tls === 'offered' ? ' STARTTLS LOGINDISABLED' : '';
    yield {
      send:
        verb === 'CAPABILITY' && tag !== null && !cut
          ? `* CAPABILITY IMAP4rev1${more}\r\n${tag} OK that is all\r\n`
          : answer(text, tag, cut ? 'CUT' : verb),
    };
    if (cut || (verb === 'LOGOUT' && tag !== null)) return 'over';
  }
}

/** Every tagged OK carries a text: without one, some clients wait for ever. */
function answer(text: string, tag: string | null, verb: string): string {
  if (tag === null) return `* BAD ${text}\r\n`;
  switch (verb) {
    case 'NOOP':
      return `${tag} OK nothing new\r\n`;
    case 'LOGOUT':
      return `* BYE ${text}\r\n${tag} OK goodbye\r\n`;
    default:
      return `${tag} NO [UNAVAILABLE] ${text}\r\n`;
  }
}

interface Command {
  readonly tag: string | null;
  readonly verb: string;
  /** Its literal was not swallowed, so what follows cannot be read. */
  readonly cut: boolean;
  /** Nothing stands behind the verb. */
  readonly bare: boolean;
}

/** One whole command; a literal that waits for a go-ahead never gets one. */
function* receiveCommand(): Conversation<Command> {
  const first = yield* receive();
  const tag = wordAt(first.bytes, 0);
  const command = {
    tag: tagForm.test(tag) && first.bytes.includes(0x20) ? tag : null,
    verb: wordAt(first.bytes, 1).toUpperCase(),
    bare: isTaggedWord(first.bytes),
  };
  for (let literal = literalAt(first.bytes); literal !== null;) {
    if (literal.waits || literal.octets > swallowedLiteral) return { ...command, cut: true };
    yield { discard: literal.octets };
    literal = literalAt((yield* receive()).bytes);
  }
  return { ...command, cut: false };
}

function* receive(): Generator<{ readonly receive: 'line' }, Line, Line | null> {
  return (yield { receive: 'line' }) ?? { bytes: new Uint8Array(), text: '' };
}
