// Secrets that can be found again: each begins and ends with marks that this run alone has, so that one search for the marks,
// in every form a careless program might write them, finds every secret whole or cut. What is made of a secret and does not
// hold it (digests, proofs) is looked for by itself. It tells what it found and never decides whether that is bad.

import { createHash } from 'node:crypto';

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const word = (random, length) =>
  Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');

/** Of base64 that holds these octets at some offset, what the octets alone decide. */
function base64Forms(octets) {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), octets]);
    const text = whole.toString('base64').replace(/=+$/, '');
    const from = before === 0 ? 0 : before + 1;
    // The last character may hold bits of what follows.
    return text.slice(from, whole.length % 3 === 0 ? undefined : -1);
  });
}

const urlSafe = (text) => text.replaceAll('+', '-').replaceAll('/', '_');

/** `[how it is written, octets to look for]`. */
export function formsOf(text) {
  const octets = Buffer.from(text, 'utf8');
  const hex = octets.toString('hex');
  const forms = [
    ['plain', octets],
    ['two octets a character', Buffer.from(text, 'utf16le')],
    ['reversed', Buffer.from([...text].toReversed().join(''), 'utf8')],
    ['hex', Buffer.from(hex)],
    ['hex in capitals', Buffer.from(hex.toUpperCase())],
    ['percent-encoded', Buffer.from(hex.replaceAll(/../g, '%$&'))],
    ['a list of octets', Buffer.from([...octets].join(','))],
    ['a list of octets', Buffer.from([...octets].join(', '))],
    ...base64Forms(octets).flatMap((form, at) => [
      [`base64 (offset ${at})`, Buffer.from(form)],
      [`base64url (offset ${at})`, Buffer.from(urlSafe(form))],
      // SCRAM and others encode what is encoded already.
      ...base64Forms(Buffer.from(form)).map((twice) => ['base64 twice', Buffer.from(twice)]),
    ]),
    ['its SHA-256', Buffer.from(createHash('sha256').update(octets).digest('hex'))],
  ];
  const seen = new Set();
  return forms.filter(
    ([, bytes]) => !seen.has(bytes.toString('latin1')) && seen.add(bytes.toString('latin1')),
  );
}

/** Secrets of one kind: those of sessions go with them, those of the configuration are kept for as long as it is in force. */
export class Kind {
  #random;
  #needles;
  #count = 0;

  constructor(name, random) {
    this.name = name;
    this.#random = random;
    this.marks = [word(random, 12), word(random, 12)];
    this.#needles = this.marks.flatMap((mark) => formsOf(mark).map(([how, bytes]) => ({ how, bytes })));
  }

  get count() {
    return this.#count;
  }

  /** `extra` stands between the marks: what quoting, escaping and parsing stumble over. */
  secret(extra = '') {
    this.#count += 1;
    return `${this.marks[0]}.${this.#count}.${extra}${word(this.#random, 6)}${this.marks[1]}`;
  }

  /** What is made of a secret without holding it. */
  derived(how, text) {
    if (text.length < 12) throw new Error(`too short to be looked for: ${how}`);
    this.#needles.push({ how, bytes: Buffer.from(text) });
  }

  /** `[how, where, what stands around it]` of the first of each form found. */
  findIn(bytes) {
    return this.#needles.flatMap(({ how, bytes: needle }) => {
      const at = bytes.indexOf(needle);
      return at < 0 ? [] : [{ how, at, around: around(bytes, at, needle.length) }];
    });
  }

  /** How many different secrets stand there in plain. */
  differentIn(bytes, found = new Set()) {
    const mark = Buffer.from(`${this.marks[0]}.`);
    for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) {
      const [number] =
        /^\d+(?=\.)/.exec(bytes.subarray(at + mark.length, at + mark.length + 8).toString('latin1')) ?? [];
      if (number !== undefined) found.add(number);
    }
    return found;
  }

  /** Forms in which the search would not find a secret of its own: none, or the search is broken. */
  blindFor() {
    const secret = this.secret();
    const texts = formsOf(secret).filter(([how]) => !how.startsWith('its'));
    // Inside other octets, as it comes in a login.
    const padded = ['', 'a', 'ab'].map((before) => [
      'within base64',
      Buffer.from(Buffer.from(`${before}\0anna\0${secret}\0end`).toString('base64')),
    ]);
    return [...texts, ...padded]
      .filter(
        ([, bytes]) =>
          this.findIn(Buffer.concat([Buffer.from('{"x":"'), bytes, Buffer.from('"}')])).length === 0,
      )
      .map(([how]) => String(how));
  }
}

const around = (bytes, at, length) =>
  JSON.stringify(bytes.subarray(Math.max(0, at - 60), at + length + 40).toString('latin1'));
