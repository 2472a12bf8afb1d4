// ManageSieve before TLS: RFC 5804 sections 1.7, 2.2 and 4. The greeting is the capability list, so nothing need
// be asked. Strings may come as literals, whose bytes are skipped unread: a capability named by one counts as
// not listed, which errs on the safe side.

import type { Conversation } from './conversation.ts';
import { goAhead, receiveLine, refused, type GreetingVerdict, type Prologue } from './prologue-result.ts';

const quoted = String.raw`"(?:[^"\\]|\\["\\])*"`;
/** A server's literal has no plus; some send it all the same. */
const literal = /\{(\d+)\+?\}$/;
const capabilityLine = new RegExp(String.raw`^(?:(${quoted})|\{\d+\+?\})(?: (?:${quoted}|\{\d+\+?\}))?$`);
const statusLine = new RegExp(String.raw`^(OK|NO|BYE)(?: \(.*\))?(?: (?:${quoted}|\{\d+\+?\}))?$`, 'i');

/** Longest literal a server may need for a capability or a sentence. */
const literalBytes = 4096;

export type SieveStatus = 'OK' | 'NO' | 'BYE';

/** The status word of a response's last line; null for any other line. */
export function readSieveStatus(line: string): SieveStatus | null {
  const word = statusLine.exec(line)?.[1]?.toUpperCase();
  return word === 'OK' || word === 'NO' || word === 'BYE' ? word : null;
}

/** Reads the capability list a server sends unasked: first of all, and again after TLS. */
export function* sieveGreeting(): Conversation<SieveGreeting> {
  let startTls = false;
  for (;;) {
    const { line, whole } = yield* receiveResponseLine();
    const status = readSieveStatus(line);
    if (status !== null && whole)
      return { verdict: status === 'OK' ? 'positive' : 'negative', startTls, said: line };
    const capability = whole ? capabilityLine.exec(line) : null;
    if (capability === null) return { verdict: 'not-this-protocol', startTls, said: line };
    startTls ||= capability[1]?.toUpperCase() === '"STARTTLS"';
  }
}

interface SieveGreeting {
  readonly verdict: GreetingVerdict;
  readonly startTls: boolean;
  /** The line that decided. */
  readonly said: string;
}

/** Capability list, STARTTLS. */
export function* sievePrologue(): Prologue {
  const greeting = yield* sieveGreeting();
  if (greeting.verdict === 'negative') return refused('no-greeting', greeting.said);
  if (greeting.verdict !== 'positive') return refused(greeting.verdict, greeting.said);
  if (!greeting.startTls) return refused('starttls-missing', 'a capability list without STARTTLS');

  yield { send: 'STARTTLS\r\n' };
  const { line, whole } = yield* receiveResponseLine();
  return whole && readSieveStatus(line) === 'OK' ? goAhead : refused('starttls-refused', line);
}

/**
 * One line with its literals skipped. `whole` is false when a literal is too long or something follows the last
 * one that is not another: `"A" {3}` and `{3}` and then ` {3}` are all there is in RFC 5804.
 */
function* receiveResponseLine(): Conversation<{ readonly line: string; readonly whole: boolean }> {
  let line = yield* receiveLine();
  for (let size = literal.exec(line)?.[1]; size !== undefined; size = literal.exec(line)?.[1]) {
    if (Number(size) > literalBytes) return { line, whole: false };
    yield { discard: Number(size) };
    const rest = yield* receiveLine();
    if (rest === '') return { line, whole: true };
    line += rest;
  }
  return { line, whole: true };
}
