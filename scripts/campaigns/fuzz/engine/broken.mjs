// What a target throws when an invariant does not hold. Whatever else it throws is a finding as well.

export class Broken extends Error {
  name = 'Broken';

  /** @param {string} rule the same for every input that breaks it; @param {unknown} detail what came */
  constructor(rule, detail) {
    super(detail === undefined ? rule : `${rule}: ${shown(detail)}`);
    this.rule = rule;
  }
}

export function demand(holds, rule, detail) {
  if (!holds) throw new Broken(rule, typeof detail === 'function' ? detail() : detail);
}

/** Both the same, as JSON. */
export function demandSame(one, other, rule) {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)];
  if (left !== right) throw new Broken(rule, `${left} and ${right}`);
}

/** Whatever `act` throws is one of these kinds, by name; what it gave, or undefined where it threw. */
export function onlyThrows(names, act) {
  try {
    return act();
  } catch (error) {
    if (!names.includes(error?.name)) throw error;
    return undefined;
  }
}

const shown = (value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text !== undefined && text.length > 300 ? `${text.slice(0, 300)}…` : text;
};

/** Written out as numbers, so that it shares nothing with what it is held against. */
const acting = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x061c, 0x061c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe007f],
];

/** The first character a terminal or a reader would act on instead of showing it (C0, DEL, C1, bidi, zero-width, tags); null for none. */
export function actingIn(text, allowed = '') {
  for (const char of text) {
    const point = char.codePointAt(0);
    if (point >= 0x20 && point < 0x7f) continue;
    if (allowed.includes(char)) continue;
    if (acting.some(([from, to]) => point >= from && point <= to)) return point;
    if (point >= 0xd800 && point <= 0xdfff) return point;
  }
  return null;
}

export function demandPlain(text, what, allowed = '') {
  const point = actingIn(text, allowed);
  if (point !== null)
    throw new Broken(
      `${what} holds a character that acts`,
      `U+${point.toString(16)} in ${JSON.stringify(text)}`,
    );
}
