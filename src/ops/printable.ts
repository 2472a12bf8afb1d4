// Makes foreign text (certificate names, what a server said, an error of the system) safe for a terminal and
// a log line: no control, no direction change, no line end survives, and nothing grows without bound.
// What it must never do: let two lines come out of one.

// C0, DEL, C1; soft hyphen; zero width, direction marks and overrides; line and paragraph separators; tags;
// byte order mark; interlinear anchors; lone surrogates.
const unsafe = new RegExp(
  '[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]' +
    '|[\\u{e0000}-\\u{e007f}]|\\p{Surrogate}',
  'gu',
);

/** `text` with every unsafe character written `\u{hex}`, cut with an ellipsis after `maxCharacters`. */
export function printable(text: string, maxCharacters = 300): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return cut.replace(unsafe, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
