// SMTP submission and LMTP before TLS: replies of RFC 5321 section 4.2, EHLO and STARTTLS of RFC 3207, LHLO of
// RFC 2033. A reply may have many lines and then all have one code. A server that refuses EHLO is refused:
// HELO knows no STARTTLS, and falling back to it is what an attacker would want.

import type { Conversation } from './conversation.ts';
import { goAhead, receiveLine, refused, type GreetingVerdict, type Prologue } from './prologue-result.ts';

/** A constant that names nobody; an address literal passes where `localhost` fails for not being a full name. */
const ownName = '[127.0.0.1]';

export interface ReplyLine {
  readonly code: string;
  /** More lines of this reply follow. */
  readonly more: boolean;
  readonly text: string;
}

/** One line of a reply; null when it is none. */
export function readReplyLine(line: string): ReplyLine | null {
  const parts = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line);
  return parts === null ? null : { code: parts[1] ?? '', more: parts[2] === '-', text: parts[3] ?? '' };
}

/** Reads a whole greeting: every line 220. The first 4xx or 5xx line already says no. */
export function* smtpGreeting(): Conversation<{ readonly verdict: GreetingVerdict; readonly said: string }> {
  for (;;) {
    const said = yield* receiveLine();
    const line = readReplyLine(said);
    if (line !== null && /^[45]/.test(line.code)) return { verdict: 'negative', said };
    if (line?.code !== '220') return { verdict: 'not-this-protocol', said };
    if (!line.more) return { verdict: 'positive', said };
  }
}

/** Greeting, EHLO or LHLO, STARTTLS. */
export function* smtpPrologue(hello: 'EHLO' | 'LHLO'): Prologue {
  const greeting = yield* smtpGreeting();
  if (greeting.verdict === 'negative') return refused('no-greeting', greeting.said);
  if (greeting.verdict !== 'positive') return refused(greeting.verdict, greeting.said);

  yield { send: `${hello} ${ownName}\r\n` };
  const answer = yield* receiveReply('250');
  if (answer.state === 'no') return refused('starttls-missing', answer.said);
  if (answer.state === 'strange') return refused('not-this-protocol', answer.said);
  // The first line names the server; keywords stand behind it (RFC 5321 section 4.1.1.1).
  if (!answer.texts.slice(1).some((text) => /^STARTTLS *$/i.test(text)))
    return refused('starttls-missing', 'an extension list without STARTTLS');

  yield { send: 'STARTTLS\r\n' };
  const goes = yield* receiveReply('220');
  return goes.state === 'yes' ? goAhead : refused('starttls-refused', goes.said);
}

interface Reply {
  readonly state: 'yes' | 'no' | 'strange';
  readonly texts: readonly string[];
  /** The line that decided. */
  readonly said: string;
}

/** Reads a reply whose every line has exactly this code; 4xx and 5xx are a no, all else is strange. */
function* receiveReply(code: string): Conversation<Reply> {
  const texts: string[] = [];
  for (;;) {
    const said = yield* receiveLine();
    const line = readReplyLine(said);
    if (line?.code !== code) {
      const no = texts.length === 0 && line !== null && /^[45]/.test(line.code);
      return { state: no ? 'no' : 'strange', texts, said };
    }
    texts.push(line.text);
    if (!line.more) return { state: 'yes', texts, said };
  }
}
