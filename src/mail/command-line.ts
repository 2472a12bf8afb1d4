// Looks at a client's command line without turning it into a string: behind the first words there may be a
// password. Only words that name a command are ever decoded.

/** Longest word that can be a tag or a command name. */
const wordLength = 64;

/** The word at `index`, counted from 0 and divided by single spaces; '' when there is none, or none so short. */
export function wordAt(line: Uint8Array, index: 0 | 1): string {
  let start = 0;
  if (index === 1) start = line.indexOf(0x20) + 1;
  if (index === 1 && start === 0) return '';
  const space = line.indexOf(0x20, start);
  const end = space < 0 ? line.length : space;
  if (end - start > wordLength) return '';
  const word = Buffer.from(line.buffer, line.byteOffset + start, end - start).toString('latin1');
  return /^[!-~]*$/.test(word) ? word : '';
}

/** True when something stands behind the first word. */
export const hasArgument = (line: Uint8Array): boolean => line.indexOf(0x20) >= 0;

/** True when the line is a tag and one word, and nothing more: not even a space. */
export const isTaggedWord = (line: Uint8Array): boolean =>
  line.indexOf(0x20) >= 0 && line.indexOf(0x20) === line.lastIndexOf(0x20);

export interface Literal {
  readonly octets: number;
  /** The client waits for a go-ahead before it sends them: `{n}`, not `{n+}` (RFC 7888). */
  readonly waits: boolean;
}

/**
 * The literal announced at the end of a line; null when there is none. Its length may have any number of digits: what is a
 * literal to one reader and none to another would be read as commands by one of them.
 */
export function literalAt(line: Uint8Array): Literal | null {
  if (line.at(-1) !== 0x7d) return null;
  const open = line.lastIndexOf(0x7b);
  const inner = Buffer.from(line.subarray(open + 1, -1)).toString('latin1');
  const parts = open < 0 ? null : /^(\d+)(\+?)$/.exec(inner);
  return parts === null ? null : { octets: Number(parts[1]), waits: parts[2] === '' };
}
