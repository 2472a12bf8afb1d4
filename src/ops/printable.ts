// Makes foreign text (certificate names, what a server said, an error of the system) fit for one log line:
// escaped, so that no second line and no terminal sequence comes out of it, and bounded.

import { escapeText } from '../trust/escape.ts';

/** `text` cut with an ellipsis after `maxCharacters`, then escaped. */
export const printable = (text: string, maxCharacters = 300): string =>
  escapeText(text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text);
