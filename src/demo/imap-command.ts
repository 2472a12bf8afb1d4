// Reads IMAP commands (RFC 9051 section 9) with quoted strings, literals and nested lists, for the demo server.

import type { Duplex } from 'node:stream';
import type { LineReader } from './line-reader.ts';

/** An atom or string as latin1 text, or a parenthesised list of the same. */
export type Argument = string | readonly Argument[];

export interface Command {
  readonly tag: string;
  readonly verb: string;
  readonly rest: readonly Argument[];
}

const maxLiteral = 50 * 1024 * 1024;

/** The next command; null at the end of the stream. Answers synchronising literals itself. Throws RangeError for bad ones. */
export async function readCommand(reader: LineReader, socket: Duplex): Promise<Command | null> {
  const parts: string[] = [];
  for (;;) {
    const line = await reader.line();
    if (line === null) return null;
    const literal = /\{(\d{1,9})(\+?)\}$/.exec(line);
    if (literal === null) {
      parts.push(line);
      break;
    }
    const size = Number(literal[1]);
    if (size > maxLiteral) throw new RangeError('literal too large');
    if (literal[2] === '') socket.write('+ go ahead\r\n');
    const octets = await reader.octets(size);
    if (octets === null) return null;
    parts.push(line.slice(0, literal.index), octets.toString('latin1'));
  }
  return commandOf(parse(parts));
}

function commandOf(words: readonly Argument[]): Command {
  const [tag, verb, ...rest] = words;
  if (typeof tag !== 'string') throw new RangeError('no tag');
  const name = typeof verb === 'string' ? verb.toUpperCase() : '';
  const [next, ...more] = rest;
  if (name === 'UID' && typeof next === 'string')
    return { tag, verb: `UID ${next.toUpperCase()}`, rest: more };
  return { tag, verb: name, rest };
}

/** Odd parts are literals and stand for themselves. */
function parse(parts: readonly string[]): readonly Argument[] {
  const root: Argument[] = [];
  const stack: Argument[][] = [root];
  const top = (): Argument[] => stack.at(-1) ?? root;
  parts.forEach((part, index) => {
    if (index % 2 === 1) {
      top().push(part);
      return;
    }
    // A section such as BODY[HEADER.FIELDS (SUBJECT)] is one word, brackets and all.
    for (const [word] of part.matchAll(/"(?:[^"\\]|\\.)*"|\(|\)|[^\s()"[]*\[[^\]]*\][^\s()]*|[^\s()"]+/g)) {
      if (word === '(') {
        const list: Argument[] = [];
        top().push(list);
        stack.push(list);
      } else if (word === ')') stack.pop();
      else top().push(word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word);
    }
  });
  return root;
}

/** Message numbers or UIDs of a sequence set such as `1:3,7,9:*`, as a test. */
export function inSet(set: string, largest: number): (number: number) => boolean {
  const ranges = set.split(',').map((range) => {
    const [from = 0, to = from] = range.split(':').map((end) => (end === '*' ? largest : Number(end)));
    return [Math.min(from, to), Math.max(from, to)] as const;
  });
  return (number) => ranges.some(([from, to]) => number >= from && number <= to);
}
