// IMAP before TLS: RFC 9051 sections 6.1.1, 6.2.1 and 7.1, RFC 3501. Only the tagged OK of our own STARTTLS
// upgrades. Untagged data is dropped, literals are refused (nothing legal needs one here), and PREAUTH ends
// everything: it would make a client skip STARTTLS (RFC 9051 section 7.1.4).

import type { Conversation } from './conversation.ts';
import { goAhead, receiveLine, refused, type GreetingVerdict, type Prologue } from './prologue-result.ts';

const literal = /\{\d+\+?\}$/;

/** A client's tag: printable, and no list, quote or wildcard (RFC 9051 section 9). It may be written back. */
export const tagForm = /^[^(){%*"\\+]+$/;

/** How an IMAP greeting reads (RFC 9051 section 7.1); no other untagged response can greet. */
export function readImapGreeting(line: string): GreetingVerdict {
  const word = /^\* ([^ ]+)(?: |$)/.exec(line)?.[1]?.toUpperCase();
  if (word === 'OK') return 'positive';
  if (word === 'BYE') return 'negative';
  return word === 'PREAUTH' ? 'preauth' : 'not-this-protocol';
}

/** Greeting, CAPABILITY, STARTTLS. Capabilities in the greeting are not asked for and so not believed. */
export function* imapPrologue(): Prologue {
  const greeting = yield* receiveLine();
  const verdict = literal.test(greeting) ? 'not-this-protocol' : readImapGreeting(greeting);
  if (verdict === 'negative') return refused('no-greeting', greeting);
  if (verdict !== 'positive') return refused(verdict, greeting);

  yield { send: 'z1 CAPABILITY\r\n' };
  const asked = yield* receiveTagged('z1');
  if (asked.state === 'preauth') return refused('preauth', asked.said);
  if (asked.state === 'strange') return refused('not-this-protocol', asked.said);
  if (asked.state === 'no' || !asked.startTls) return refused('starttls-missing', asked.said);

  yield { send: 'z2 STARTTLS\r\n' };
  const answer = yield* receiveTagged('z2');
  if (answer.state === 'preauth') return refused('preauth', answer.said);
  return answer.state === 'ok' ? goAhead : refused('starttls-refused', answer.said);
}

interface Reply {
  readonly state: 'ok' | 'no' | 'preauth' | 'strange';
  /** STARTTLS was among the capabilities on the way. */
  readonly startTls: boolean;
  /** The line that decided. */
  readonly said: string;
}

/** Reads up to the tagged reply. Untagged data goes by unread, but for capability names, BYE and PREAUTH. */
function* receiveTagged(tag: string): Conversation<Reply> {
  let startTls = false;
  for (;;) {
    const said = yield* receiveLine();
    const state = readReply(said, tag);
    if (state !== 'untagged') return { state, startTls, said };
    startTls ||= /^\* CAPABILITY /i.test(said) && said.toUpperCase().split(' ').includes('STARTTLS');
  }
}

function readReply(line: string, tag: string): Reply['state'] | 'untagged' {
  const [first = '', second = ''] = line.split(' ');
  const word = second.toUpperCase();
  if (literal.test(line)) return 'strange';
  if (first === tag && word === 'OK') return 'ok';
  if (first === tag) return word === 'NO' || word === 'BAD' ? 'no' : 'strange';
  // `* z2 OK` is made to look like our tagged reply: no server has a response of that name.
  if (first !== '*' || !/^(?:\d+|[A-Z][A-Z0-9-]*)$/.test(word) || /^Z[12]$/.test(word)) return 'strange';
  if (word === 'PREAUTH') return 'preauth';
  return word === 'BYE' ? 'no' : 'untagged';
}
