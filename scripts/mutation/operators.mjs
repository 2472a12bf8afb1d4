// Small errors that a person makes, one at a time, in the text of a TypeScript file. Pure: text in, mutants out. Works on code only:
// strings and comments are blanked before (source-text.mjs). What changes types alone is left out by the caller, who compares
// what the compiler makes of both. What the type check would refuse (`?.` without its question mark) is not made.

import { blank, lineAt } from '../source-text.mjs';

/** Formatted code has blanks around binary operators, and none around the brackets of a generic type. */
const swaps = [
  [' === ', ' !== '],
  [' !== ', ' === '],
  [' && ', ' || '],
  [' || ', ' && '],
  [' ?? ', ' && '],
  [' < ', ' <= '],
  [' <= ', ' < '],
  [' > ', ' >= '],
  [' >= ', ' > '],
  [' + ', ' - '],
  [' - ', ' + '],
  ['.some(', '.every('],
  ['.every(', '.some('],
  ['.at(-1)', '.at(0)'],
];
const words = [
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/(?<=[(\s!])!(?=[\w(])/g, ''],
  [/\b0\b/g, '1'],
  [/\b1\b/g, '2'],
];

/** `{at, length, text}` for each place. */
function replacements(code) {
  const found = [];
  for (const [from, to] of swaps)
    for (let at = code.indexOf(from); at >= 0; at = code.indexOf(from, at + from.length))
      found.push({ at, length: from.length, text: to });
  for (const [pattern, to] of words)
    for (const match of code.matchAll(pattern))
      found.push({ at: match.index, length: match[0].length, text: to });
  return [...found, ...conditions(code), ...statements(code)];
}

/** Of each `if (...)` and `... ? ... :` whose condition stands in one place: always, and never. */
function conditions(code) {
  return [...code.matchAll(/\bif \(/g)].flatMap(({ index }) => {
    const from = index + 4;
    const to = closing(code, from);
    return ['true', 'false'].map((text) => ({ at: from, length: to - from, text }));
  });
}

/** The position of the bracket that closes the one before `from`. */
function closing(code, from) {
  let depth = 1;
  let at = from;
  for (; at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')' && (depth -= 1) === 0) break;
  }
  return at;
}

/** A call or an assignment that stands alone on its line, left out. */
function statements(code) {
  return [
    ...code.matchAll(
      /^( +)((?!return\b|const\b|let\b|throw\b|if\b|readonly\b|type\b|case\b)[\w.#[\]]+(?: [+-]?= .*|\(.*\));)$/gm,
    ),
  ].map((match) => ({ at: match.index + match[1].length, length: match[2].length, text: ';' }));
}

/** `{line, before, after, mutated}` each; `mutated` is the whole text. */
export function mutants(text) {
  const code = blank(text, { keepStrings: false });
  return replacements(code)
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, length, text: put }) => ({
      line: lineAt(text, at),
      before: text.slice(at, at + length),
      after: put,
      mutated: text.slice(0, at) + put + text.slice(at + length),
    }));
}
