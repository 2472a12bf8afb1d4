// Takes fingerprints out of proposed commands. An approval is worth something only when its fingerprint came from
// elsewhere; a command with the presented key filled in would be run as it stands. Pure.

const proposed = /--expect\s+sha256\/\/[A-Za-z0-9+/]{43}=/g;

export interface Stretch {
  readonly text: string;
  /** One of the keys, which may be read and not be copied. */
  readonly isKey: boolean;
}

/** The text, cut at the keys that stand in it. */
export function cutAtKeys(text: string, keys: readonly string[]): readonly Stretch[] {
  const [key, ...others] = keys.filter((each) => each !== '');
  if (key === undefined) return text === '' ? [] : [{ text, isKey: false }];
  return text
    .split(key)
    .flatMap((part, at) => [...(at === 0 ? [] : [{ text: key, isKey: true }]), ...cutAtKeys(part, others)]);
}

export const withoutKeys = (line: string, keys: readonly string[]): string =>
  keys.reduce(
    (text, key) => text.replaceAll(key, 'FINGERPRINT'),
    line.replace(proposed, '--expect FINGERPRINT'),
  );
