// Finds fingerprints in texts, whoever wrote them. An approval is worth something only when its fingerprint came from
// elsewhere: one that stands in a text of this page is to be read, not to be copied, and proposes no command. Pure.

/** `sha256//…`, or 32 octets in hexadecimal the ways they can be typed. */
const fingerprint = /sha256\/\/[\w+/]{43}=?|[\da-f]{2}([:\- ]?)(?:[\da-f]{2}\1){30}[\da-f]{2}/giu;

export interface Stretch {
  readonly text: string;
  readonly isKey: boolean;
}

/** The text, cut at the fingerprints that stand in it. */
export function cutAtKeys(text: string): readonly Stretch[] {
  const found: Stretch[] = [];
  let from = 0;
  for (const match of text.matchAll(fingerprint)) {
    if (match.index > from) found.push({ text: text.slice(from, match.index), isKey: false });
    found.push({ text: match[0], isKey: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from), isKey: false });
  return found;
}

export const withoutKeys = (line: string): string => line.replace(fingerprint, 'FINGERPRINT');
