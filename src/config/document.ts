// Reads one YAML 1.2 file into plain data that still knows where each value was written. Bounded: size,
// nesting and alias expansion. It never evaluates tags and never guesses an encoding.

import { isScalar, Lexer, LineCounter, parseDocument, Parser, visit } from 'yaml';
import type { Document } from 'yaml';
import type { ConfigProblem } from '../config.ts';
import { Offsets, startOf } from './offsets.ts';
import { longestLooked, maskLine, problemAt, veiled } from './problem.ts';
import type { Path, Place } from './problem.ts';

const maxFileBytes = 1_048_576;
const maxAliases = 100;
const maxDepth = 32;
/** What follows the first few mistakes in the syntax is most often made by them. */
const maxSyntaxProblems = 10;

/** A file read: its data, where each path stands, and everything wrong with it as YAML. */
export interface SourceDocument {
  readonly value: unknown;
  /** The value at `path`, or the nearest written part of it. */
  locate(path: Path): Place;
  /** The key itself, for problems about the key. */
  locateKey(path: Path): Place;
  readonly problems: readonly ConfigProblem[];
}

/** @param source the file name as problems show it */
export function readDocument(bytes: Uint8Array, source: string): SourceDocument {
  const text = decoded(bytes);
  if (typeof text !== 'string') return broken(source, text.message);
  const lines = new LineCounter();
  const spot = placer(text, source, lines);
  const parsed = parsedOrNull(text, lines);
  if (parsed === null) return broken(source, `the file is nested deeper than ${maxDepth} levels`);
  const problems = [...parsed.errors, ...parsed.warnings, ...repeatedKeys(parsed)]
    .toSorted((one, other) => one.pos[0] - other.pos[0])
    .slice(0, maxSyntaxProblems)
    .map((error) => problemAt(spot(error.pos[0]), firstSentence(error.message), yamlHint(error.code)));
  const value = problems.length > 0 ? { value: {} } : plain(parsed);
  if ('message' in value) problems.push(problemAt(spot(0), value.message));
  const offsets = new Offsets(parsed);
  return {
    value: 'value' in value ? value.value : {},
    problems,
    locate: (path) => veiled(path, spot(offsets.of(path, 'value'))),
    locateKey: (path) => veiled(path, spot(offsets.of(path, 'key'))),
  };
}

function decoded(bytes: Uint8Array): string | { readonly message: string } {
  if (bytes.length > maxFileBytes) return { message: `the file is larger than ${maxFileBytes} bytes` };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { message: 'the file is not UTF-8 text' };
  }
}

function parsedOrNull(text: string, lineCounter: LineCounter): Document.Parsed | null {
  if (isTooDeep(text)) return null;
  return parseDocument(text, {
    lineCounter,
    version: '1.2',
    prettyErrors: false,
    stringKeys: true,
    // The parser's own look at this takes time with the square of the keys: see repeatedKeys.
    uniqueKeys: false,
    // Else !!binary, !!set and !!timestamp make objects of their own kinds.
    resolveKnownTags: false,
  });
}

/**
 * Looks at the tokens alone, which takes no recursion: composing a few thousand levels overflows the stack, and
 * has been seen to abort the process, which a reload must not.
 */
function isTooDeep(text: string): boolean {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // Tokens of whole documents are of no interest here.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth) return true;
  }
  return false;
}

function plain(parsed: Document.Parsed): { readonly value: unknown } | { readonly message: string } {
  try {
    return { value: parsed.toJS({ maxAliasCount: maxAliases }) ?? {} };
  } catch (error) {
    if (error instanceof ReferenceError)
      return { message: `aliases expand to more than ${maxAliases} nodes` };
    throw error;
  }
}

const broken = (source: string, message: string): SourceDocument => {
  const place: Place = { source, line: 1, column: 1, excerpt: null };
  return { value: {}, problems: [problemAt(place, message)], locate: () => place, locateKey: () => place };
};

/** Places are asked for by the thousand, and shown by the one: a line is masked when somebody wants to see it. */
function placer(text: string, source: string, lines: LineCounter): (offset: number) => Place {
  let written: readonly string[] | null = null;
  return (offset) => {
    const { line, col } = lines.linePos(offset);
    return {
      source,
      line: Math.max(1, line),
      column: Math.max(1, col),
      get excerpt() {
        written ??= text.split(/\r?\n/);
        const shown = written[Math.max(1, line) - 1] ?? '';
        return shown.length > longestLooked ? null : maskLine(shown);
      },
    };
  };
}

interface SyntaxProblem {
  readonly pos: readonly [number, number];
  readonly code: string;
  readonly message: string;
}

/** Each key that stands in its mapping once more. */
function repeatedKeys(parsed: Document.Parsed): readonly SyntaxProblem[] {
  const found: SyntaxProblem[] = [];
  visit(parsed, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        const start = startOf(key);
        if (seen.has(key.value))
          found.push({ pos: [start, start + 1], code: 'DUPLICATE_KEY', message: 'Map keys must be unique' });
        seen.add(key.value);
      }
    },
  });
  return found;
}

const firstSentence = (message: string): string =>
  (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');

function yamlHint(code: string): string | null {
  if (code === 'DUPLICATE_KEY') return 'keep one of the two';
  if (code === 'TAB_AS_INDENT') return 'indent with spaces';
  if (code === 'MULTIPLE_DOCS') return 'remove the line with --- and what follows it';
  if (code === 'TAG_RESOLVE_FAILED') return 'tags (!name) are not used here: remove it';
  return null;
}
