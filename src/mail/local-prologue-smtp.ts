// SMTP and LMTP before TLS on the client's side (RFC 3207 section 4, RFC 2033). No AUTH is offered, and no other
// extension: the client asks again inside TLS, and then the server itself answers.

import { hasArgument, wordAt } from './command-line.ts';
import type { Conversation } from './conversation.ts';
import type { LocalPrologueEnd } from './local-prologue.ts';

interface Dialect {
  /** As the greeting names it. */
  readonly name: string;
  /** The first of these is answered with the extensions. */
  readonly hello: readonly string[];
}

export function* smtpLocalPrologue({ name, hello }: Dialect): Conversation<LocalPrologueEnd> {
  yield { send: `220 letterlock ${name} ready\r\n` };
  for (;;) {
    const line = (yield { receive: 'line' })?.bytes ?? new Uint8Array();
    const verb = wordAt(line, 0).toUpperCase();
    const bare = !hasArgument(line);
    if (verb === 'STARTTLS' && bare) {
      yield { send: '220 2.0.0 begin TLS now\r\n' };
      return 'starttls';
    }
    if (verb === 'QUIT' && bare) {
      yield { send: '221 2.0.0 goodbye\r\n' };
      return 'over';
    }
    yield { send: reply(verb, { bare, hello }) };
  }
}

function reply(
  verb: string,
  { bare, hello }: { readonly bare: boolean; readonly hello: readonly string[] },
): string {
  if (hello.includes(verb)) {
    if (bare) return '501 5.5.4 a name is expected\r\n';
    return verb === hello[0] ? '250-letterlock\r\n250 STARTTLS\r\n' : '250 letterlock\r\n';
  }
  switch (verb) {
    case 'NOOP':
    case 'RSET':
      return '250 2.0.0 OK\r\n';
    case 'STARTTLS':
    case 'QUIT':
      return '501 5.5.4 this command takes no arguments\r\n';
    default:
      return '530 5.7.0 Must issue a STARTTLS command first\r\n';
  }
}
