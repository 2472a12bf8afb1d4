// DNS messages as far as a stub resolver needs them (RFC 1035 section 4, RFC 6891): a question is written, an answer is
// cut into records. Pure. What is not exactly a message is an error, never a guess: names are compared as octets, a pointer
// only leads back, nothing is read past the end.

/** Types of records that something here depends on. */
export const recordTypes = { a: 1, cname: 5, soa: 6, opt: 41, tlsa: 52 } as const;

const classIn = 1;
/** What a datagram may carry without being cut to pieces on the way (RFC 9715). */
const udpPayload = 1232;

export interface DnsQuestion {
  /** Labels with dots between, without a final one. */
  readonly name: string;
  readonly type: number;
  /** Asks the resolver for what it has, verified or not (RFC 4035 section 3.2.2). */
  readonly checkingDisabled?: boolean;
}

export interface DnsRecord {
  /** Lower case; octets that are no plain characters of host names as `\ddd`. */
  readonly name: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Uint8Array;
  /** Where a CNAME leads; null for other types. */
  readonly target: string | null;
}

export interface DnsMessage {
  readonly id: number;
  readonly isResponse: boolean;
  readonly isTruncated: boolean;
  /** The AD bit: the resolver verified everything in answer and authority. */
  readonly isAuthentic: boolean;
  /** Extended by EDNS where there is one. */
  readonly rcode: number;
  readonly question: DnsQuestion | null;
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
}

/** The octets are not a DNS message. */
export class DnsFormatError extends RangeError {
  override readonly name = 'DnsFormatError';
}

const flags = { response: 0x8000, truncated: 0x0200, wanted: 0x0100, authentic: 0x0020, unchecked: 0x0010 };

/** Asks recursively, with EDNS, DO and AD. @throws RangeError for a name that DNS cannot carry */
export function encodeQuery(id: number, { name, type, checkingDisabled = false }: DnsQuestion): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags.wanted | flags.authentic | (checkingDisabled ? flags.unchecked : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  const asked = Buffer.alloc(4);
  asked.writeUInt16BE(type, 0);
  asked.writeUInt16BE(classIn, 2);
  const edns = Buffer.alloc(11);
  edns.writeUInt16BE(recordTypes.opt, 1);
  edns.writeUInt16BE(udpPayload, 3);
  edns.writeUInt16BE(0x8000, 7); // DO
  return Buffer.concat([header, encodeName(name), asked, edns]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'ascii'));
  if (labels.some(({ length }) => length === 0 || length > 63))
    throw new RangeError(`${JSON.stringify(name)} is not a name that DNS can carry`);
  const octets = Buffer.concat([
    ...labels.flatMap((label) => [Buffer.of(label.length), label]),
    Buffer.of(0),
  ]);
  if (octets.length > 255) throw new RangeError(`${JSON.stringify(name)} is too long for DNS`);
  return octets;
}

/** @throws DnsFormatError */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  const reader = new Reader(bytes);
  const [id, bits, questions, answerCount, authorityCount, additionalCount] = [
    reader.short(),
    reader.short(),
    reader.short(),
    reader.short(),
    reader.short(),
    reader.short(),
  ];
  if (questions > 1) throw new DnsFormatError('more than one question');
  const question = questions === 0 ? null : questionOf(reader);
  const answers = recordsOf(reader, answerCount);
  const authorities = recordsOf(reader, authorityCount);
  const additional = recordsOf(reader, additionalCount);
  const edns = additional.find(({ type }) => type === recordTypes.opt);
  return {
    id,
    isResponse: (bits & flags.response) !== 0,
    isTruncated: (bits & flags.truncated) !== 0,
    isAuthentic: (bits & flags.authentic) !== 0,
    rcode: (edns === undefined ? 0 : Math.floor(edns.ttl / 0x1000000) * 16) + (bits & 0x0f),
    question,
    answers,
    authorities,
  };
}

function questionOf(reader: Reader): DnsQuestion {
  const name = reader.name();
  const type = reader.short();
  if (reader.short() !== classIn) throw new DnsFormatError('a question of another class');
  return { name, type };
}

/** Records of other classes than IN are left out; the class of OPT is a size. */
function recordsOf(reader: Reader, count: number): readonly DnsRecord[] {
  const records: DnsRecord[] = [];
  for (let at = 0; at < count; at += 1) {
    const name = reader.name();
    const type = reader.short();
    const kind = reader.short();
    const ttl = reader.short() * 0x10000 + reader.short();
    const { data, target } = reader.data(type);
    if (kind === classIn || type === recordTypes.opt) records.push({ name, type, ttl, data, target });
  }
  return records;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  short(): number {
    return this.#octet() * 256 + this.#octet();
  }

  name(): string {
    const { text, end } = nameAt(this.#bytes, this.#at);
    this.#at = end;
    return text;
  }

  data(type: number): { readonly data: Uint8Array; readonly target: string | null } {
    const length = this.short();
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new DnsFormatError('a record is longer than the message');
    const data = this.#bytes.subarray(from, this.#at);
    if (type !== recordTypes.cname) return { data, target: null };
    const { text, end } = nameAt(this.#bytes, from);
    if (end !== this.#at) throw new DnsFormatError('a CNAME does not end with its name');
    return { data, target: text };
  }

  #octet(): number {
    const octet = this.#bytes[this.#at];
    if (octet === undefined) throw new DnsFormatError('the message ends too early');
    this.#at += 1;
    return octet;
  }
}

/** `end` is behind the name where it stands, not where its pointers lead. */
function nameAt(bytes: Uint8Array, from: number): { readonly text: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | null = null;
  let length = 1;
  let start = from;
  for (let at = from; ;) {
    const size = bytes[at];
    if (size === undefined) throw new DnsFormatError('a name ends too early');
    if (size === 0) return { text: labels.join('.'), end: end ?? at + 1 };
    if (size >= 0xc0) {
      const target = (size & 0x3f) * 256 + (bytes[at + 1] ?? 0);
      // Each one leads further back than the last, so that none can go in circles.
      if (at + 1 >= bytes.length || target >= start) throw new DnsFormatError('a name leads nowhere');
      end ??= at + 2;
      at = target;
      start = target;
      continue;
    }
    if (size > 63 || at + size >= bytes.length) throw new DnsFormatError('a label that is none');
    length += size + 1;
    if (length > 255) throw new DnsFormatError('a name is too long');
    labels.push(labelText(bytes.subarray(at + 1, at + 1 + size)));
    at += size + 1;
  }
}

const labelText = (label: Uint8Array): string =>
  Buffer.from(label)
    .toString('latin1')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[^a-z0-9_*-]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`);
