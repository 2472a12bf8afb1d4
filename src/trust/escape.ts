// Makes text that came off the wire safe to print: a certificate's subject may hold terminal sequences, line
// ends, or marks that turn the reading direction round. It never removes anything: what was there stays visible.

// Controls (C0, DEL, C1), format characters (bidi controls, zero-width, soft hyphen, tags), lone surrogates,
// line and paragraph separators, and whatever else Unicode says may be drawn as nothing.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Of most texts, and found out many times faster. */
const plain = /^[\x20-\x7e]*$/;

const written = (character: string): string => {
  const point = character.codePointAt(0) ?? NaN;
  const hex = point.toString(16);
  if (point < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
};

/**
 * The text with every character that does not show itself written as `\x1b`, `\u202e` or `\u{e0001}`.
 * The backslash stays as it is, so that escaping twice (once for the log, once for the terminal) changes nothing.
 */
export const escapeText = (text: string): string =>
  plain.test(text) ? text : text.replace(unprintable, written);
