// Punycode (RFC 3492), the part of an A-label after `xn--`. Our own because the platform's answers differ from
// one Node version to the next: a name must be the same name before and after an update. It says nothing about
// which names are good; that is endpoint.ts.

const base = 36;
const firstBias = 72;
const firstPoint = 128;
const maxPoint = 0x10ffff;
/** No label is longer, so no code point needs a bigger number on the way. */
const maxDelta = 0x7fffffff;
const digits = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Lower-case Punycode of a label. Never throws: a lone surrogate is encoded like any other code point. */
export function encodePunycode(label: string): string {
  const points = codePoints(label);
  const basic = points.filter((point) => point < firstPoint);
  let output = String.fromCodePoint(...basic) + (basic.length > 0 ? '-' : '');
  let [least, delta, bias, written] = [firstPoint, 0, firstBias, basic.length];
  for (const next of ascending(points)) {
    delta += (next - least) * (written + 1);
    least = next;
    for (const point of points) {
      if (point < least) delta += 1;
      if (point !== least) continue;
      output += variableLength(delta, bias);
      bias = adapted(delta, written + 1, written === basic.length);
      delta = 0;
      written += 1;
    }
    delta += 1;
    least += 1;
  }
  return output;
}

/** The label that lower-case Punycode stands for; null when it stands for none. */
export function decodePunycode(text: string): string | null {
  const hyphen = text.lastIndexOf('-');
  const points = codePoints(text.slice(0, Math.max(hyphen, 0)));
  let [point, index, bias] = [firstPoint, 0, firstBias];
  for (let at = hyphen + 1; at < text.length;) {
    const read = readNumber(text, at, bias);
    if (read === null) return null;
    index += read.value;
    const length = points.length + 1;
    bias = adapted(read.value, length, at === hyphen + 1);
    at = read.end;
    point += Math.floor(index / length);
    if (point > maxPoint) return null;
    points.splice(index % length, 0, point);
    index = (index % length) + 1;
  }
  return String.fromCodePoint(...points);
}

const codePoints = (text: string): number[] => Array.from(text, (char) => char.codePointAt(0) ?? 0);

const ascending = (points: readonly number[]): readonly number[] =>
  [...new Set(points)].filter((point) => point >= firstPoint).toSorted((a, b) => a - b);

/** RFC 3492 section 6.1, with damp 700, skew 38, tmin 1, tmax 26. */
function adapted(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : Math.floor(delta / 2);
  rest += Math.floor(rest / length);
  let steps = 0;
  for (; rest > 455; steps += base) rest = Math.floor(rest / 35);
  return steps + Math.floor((base * rest) / (rest + 38));
}

const threshold = (step: number, bias: number): number => Math.min(Math.max(step - bias, 1), 26);

function variableLength(value: number, bias: number): string {
  let output = '';
  let rest = value;
  for (let step = base; ; step += base) {
    const limit = threshold(step, bias);
    if (rest < limit) return output + digits.charAt(rest);
    output += digits.charAt(limit + ((rest - limit) % (base - limit)));
    rest = Math.floor((rest - limit) / (base - limit));
  }
}

function readNumber(text: string, from: number, bias: number): { value: number; end: number } | null {
  let [value, weight] = [0, 1];
  for (let at = from, step = base; at < text.length; at += 1, step += base) {
    const digit = digits.indexOf(text.charAt(at));
    if (digit < 0) return null;
    value += digit * weight;
    if (value > maxDelta) return null;
    const limit = threshold(step, bias);
    if (digit < limit) return { value, end: at + 1 };
    weight *= base - limit;
  }
  return null;
}
