// A strict reader of DER (X.690 section 10): definite and minimal lengths, single-octet tags, nothing left over.
// It only cuts bytes apart; it never copies, never guesses and never recurses on what a peer sent. Where it and
// OpenSSL disagree about a certificate, the certificate is malformed, never read in two ways.

/** One element. The arrays are views on the bytes that were read. */
export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** The bytes are not strict DER, or not what stands in this place. Never leaves the trust folder. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const constructedBit = 0x20;
/** Deeper or larger trees are refused before a general-purpose parser sees them. */
const maxDepth = 24;
const maxElements = 4096;

const lengthAt = (bytes: Uint8Array, at: number): { readonly length: number; readonly from: number } => {
  const first = bytes[at];
  if (first === undefined) throw new DerError('an element ends before its length');
  if (first < 0x80) return { length: first, from: at + 1 };
  const octets = first - 0x80;
  if (octets === 0 || octets > 4) throw new DerError('a length is indefinite or too long');
  let length = 0;
  for (const octet of bytes.subarray(at + 1, at + 1 + octets)) length = length * 256 + octet;
  if (length < 0x80 || length < 256 ** (octets - 1)) throw new DerError('a length is not minimal');
  return { length, from: at + 1 + octets };
};

const elementAt = (bytes: Uint8Array, at: number): Der => {
  const tag = bytes[at];
  if (tag === undefined) throw new DerError('an element is missing');
  if (tag === 0 || (tag & 0x1f) === 0x1f) throw new DerError('a tag is not one that X.509 uses');
  const { length, from } = lengthAt(bytes, at + 1);
  if (from + length > bytes.length) throw new DerError('an element is longer than what holds it');
  return { tag, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) };
};

/** The first element and the bytes behind it. Throws DerError. */
export const readFirst = (bytes: Uint8Array): { readonly element: Der; readonly rest: Uint8Array } => {
  const element = elementAt(bytes, 0);
  return { element, rest: bytes.subarray(element.whole.length) };
};

/** The one element these bytes are. Throws DerError when it is another one or something follows. */
export const readOnly = (bytes: Uint8Array, tag: number): Der => {
  const { element, rest } = readFirst(bytes);
  if (rest.length > 0) throw new DerError('bytes follow the element');
  if (element.tag !== tag) throw new DerError(`tag ${element.tag} stands where ${tag} belongs`);
  return element;
};

/** The elements inside a constructed one, at most `most` of them. Throws DerError. */
export const elementsOf = (parent: Der, most: number = maxElements): readonly Der[] => {
  if ((parent.tag & constructedBit) === 0) throw new DerError('a primitive element holds no others');
  const found: Der[] = [];
  for (let at = 0; at < parent.content.length;) {
    if (found.length === most) throw new DerError('too many elements');
    const element = elementAt(parent.content, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
};

/** The fields of a SEQUENCE, taken one after the other. Every method throws DerError. */
export class Fields {
  readonly #elements: readonly Der[];
  #next = 0;

  constructor(sequence: Der, tag: number = tags.sequence) {
    if (sequence.tag !== tag) throw new DerError(`tag ${sequence.tag} stands where ${tag} belongs`);
    this.#elements = elementsOf(sequence);
  }

  take(...tag: readonly number[]): Der {
    const element = this.#elements[this.#next];
    if (element === undefined || !tag.includes(element.tag)) throw new DerError('a field is missing');
    this.#next += 1;
    return element;
  }

  takeIf(tag: number): Der | null {
    return this.#elements[this.#next]?.tag === tag ? this.take(tag) : null;
  }

  /** Whatever stands next. */
  any(): Der | null {
    return this.#elements[this.#next++] ?? null;
  }

  end(): void {
    if (this.#next < this.#elements.length) throw new DerError('a field too many');
  }
}

/** Goes through the whole tree without recursion. Throws DerError when any part is not strict DER, too deep or too large. */
export const checkTree = (bytes: Uint8Array): void => {
  const open: { readonly element: Der; readonly depth: number }[] = [
    { element: readFirst(bytes).element, depth: 0 },
  ];
  if (open[0]?.element.whole.length !== bytes.length) throw new DerError('bytes follow the element');
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { element, depth } = next;
    seen += 1;
    if (depth > maxDepth || seen > maxElements) throw new DerError('the tree is too deep or too large');
    if ((element.tag & constructedBit) === 0) continue;
    for (const child of elementsOf(element)) open.push({ element: child, depth: depth + 1 });
  }
};

/** Dotted text of an OBJECT IDENTIFIER. Throws DerError. */
export const oidOf = (element: Der): string => {
  const bytes = element.content;
  const last = bytes.at(-1);
  if (element.tag !== tags.oid || last === undefined || last >= 0x80 || bytes.length > 64)
    throw new DerError('not an object identifier');
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of bytes) {
    if (arc === 0n && octet === 0x80) throw new DerError('an arc is not minimal');
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first = 0n, ...others] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...others].join('.');
};

/** Throws DerError for anything but the two values DER knows. */
export const booleanOf = (element: Der): boolean => {
  const [value, more] = element.content;
  if (more !== undefined || (value !== 0x00 && value !== 0xff)) throw new DerError('not a boolean');
  return value === 0xff;
};

const timeForms: Readonly<Record<number, RegExp>> = {
  [tags.utcTime]: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
  [tags.generalizedTime]: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
};

/** Milliseconds since 1970 of a Time as RFC 5280 section 4.1.2.5 writes it. Throws DerError. */
export const timeOf = (element: Der): number => {
  const text = Buffer.from(element.content.subarray(0, 32)).toString('latin1');
  const [, year, month, ...others] = (timeForms[element.tag]?.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined) throw new DerError('not a time');
  const century = element.tag === tags.utcTime ? (year < 50 ? 2000 : 1900) : 0;
  const [day = 0, hour = 0, minute = 0, second = 0] = others;
  const date = new Date(0);
  date.setUTCFullYear(century + year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const written = [
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  if (written.join() !== [month, day, hour, minute, second].join()) throw new DerError('no such day or hour');
  return date.getTime();
};
