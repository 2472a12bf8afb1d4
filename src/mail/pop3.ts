// POP3 before TLS: RFC 1939 section 3, CAPA of RFC 2449, STLS of RFC 2595 section 4. The greeting's APOP stamp
// is never looked at: a challenge chosen in clear gives the password away (CVE-2007-1558).

import type { Conversation } from './conversation.ts';
import { goAhead, receiveLine, refused, type GreetingVerdict, type Prologue } from './prologue-result.ts';

/** How a POP3 status line reads; the indicators are upper case and whole words (RFC 1939 section 3). */
export function readPop3Greeting(line: string): GreetingVerdict {
  if (/^\+OK(?: |$)/.test(line)) return 'positive';
  return /^-ERR(?: |$)/.test(line) ? 'negative' : 'not-this-protocol';
}

/** Greeting, CAPA, STLS. */
export function* pop3Prologue(): Prologue {
  const greeting = yield* receiveLine();
  const verdict = readPop3Greeting(greeting);
  if (verdict === 'negative') return refused('no-greeting', greeting);
  if (verdict !== 'positive') return refused(verdict, greeting);

  yield { send: 'CAPA\r\n' };
  const answer = yield* receiveLine();
  const status = readPop3Greeting(answer);
  if (status === 'negative') return refused('starttls-missing', answer);
  if (status !== 'positive') return refused(status, answer);
  if (!(yield* listsStls())) return refused('starttls-missing', 'a CAPA list without STLS');

  yield { send: 'STLS\r\n' };
  const goes = yield* receiveLine();
  return readPop3Greeting(goes) === 'positive' ? goAhead : refused('starttls-refused', goes);
}

/** Reads the list to its full stop. */
function* listsStls(): Conversation<boolean> {
  let listed = false;
  for (;;) {
    const line = yield* receiveLine();
    if (line === '.') return listed;
    listed ||= /^STLS *$/i.test(line);
  }
}
