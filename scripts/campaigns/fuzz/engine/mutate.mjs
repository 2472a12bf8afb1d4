// Makes another input of one: flips, other numbers, other lengths, pieces of other inputs, words the target knows, whole
// lines moved. What it makes is never longer than it may be.

import { oneOf } from './random.mjs';

const numbers = [0, 1, 2, 0x0a, 0x0d, 0x20, 0x22, 0x30, 0x5c, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xc0, 0xfe, 0xff];

const put = (bytes, at, piece) => Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
const cut = (bytes, from, to) => Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
const place = (bytes, random) => random(bytes.length + 1);

const changes = [
  (bytes, random) => {
    const at = random(bytes.length);
    bytes[at] ^= 1 << random(8);
    return bytes;
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = random(256);
    return bytes;
  },
  (bytes, random) => {
    bytes[random(bytes.length)] = oneOf(numbers, random);
    return bytes;
  },
  // A length, or a digit, a little off.
  (bytes, random) => {
    bytes[random(bytes.length)] += random(9) - 4;
    return bytes;
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const value = oneOf([0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, bytes.length], random);
    if (at + 2 <= bytes.length) bytes.writeUInt16BE(value & 0xffff, at);
    return bytes;
  },
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) => {
    const at = random(bytes.length);
    return cut(bytes, at, at + 1 + random(oneOf([1, 4, 32, 400], random)));
  },
  // Once more, a few times or very often.
  (bytes, random) => {
    const at = random(bytes.length);
    const piece = bytes.subarray(at, at + 1 + random(oneOf([1, 8, 64], random)));
    const times = oneOf([1, 1, 2, 8, 100], random);
    return put(bytes, place(bytes, random), Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  (bytes, random) => {
    const [from, to] = [random(bytes.length), random(bytes.length)];
    bytes.copy(bytes, to, from, from + random(64));
    return bytes;
  },
  (bytes, random, { words }) =>
    words.length === 0 ? bytes : put(bytes, place(bytes, random), oneOf(words, random)),
  (bytes, random, { words }) => {
    if (words.length > 0) oneOf(words, random).copy(bytes, random(bytes.length));
    return bytes;
  },
  // The end of another one.
  (bytes, random, { others }) => {
    const other = oneOf(others, random);
    return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
  },
  // A piece of another one.
  (bytes, random, { others }) => {
    const other = oneOf(others, random);
    const from = place(other, random);
    return put(bytes, place(bytes, random), other.subarray(from, from + random(80)));
  },
  (bytes, random) => {
    const at = random(bytes.length);
    const length = 1 + random(12);
    for (let next = at; next < Math.min(at + length, bytes.length); next += 1)
      if (/[A-Za-z]/.test(String.fromCharCode(bytes[next]))) bytes[next] ^= 0x20;
    return bytes;
  },
  (bytes, random) => {
    const lines = bytes.toString('latin1').split(/(?<=\n)/);
    const at = random(lines.length);
    const [line = ''] = random(2) === 0 ? lines.splice(at, 1) : [lines[at]];
    lines.splice(random(lines.length + 1), 0, ...(random(3) === 0 ? [] : [line]));
    return Buffer.from(lines.join(''), 'latin1');
  },
];

/** `others`: inputs known to be of interest; `words`: of the target's dictionary. */
export function mutant(bytes, random, { others, words, longest }) {
  let changed = Buffer.from(bytes);
  for (let left = 1 + random(oneOf([1, 2, 4, 8], random)); left > 0; left -= 1) {
    if (changed.length === 0) changed = Buffer.from(oneOf(others, random));
    if (changed.length === 0) changed = Buffer.of(random(256));
    changed = oneOf(changes, random)(changed, random, { others, words });
  }
  return changed.length > longest ? changed.subarray(0, longest) : changed;
}
