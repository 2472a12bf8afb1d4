// DNS answers (src/net/dns-message.ts, dns-stream.ts, tlsa-look-up.ts): a second reader finds the same, nothing but a
// DnsFormatError is thrown, names are plain, and TLSA records count only where the answer says that they were verified.
// An answer over a stream, in any pieces, is the same or refused for the same.

import { EventEmitter } from 'node:events';
import { demand, demandSame, onlyThrows } from './engine/broken.mjs';
import { cutByChance, randomFrom } from './engine/random.mjs';

const short = (value) => Buffer.of(value >> 8, value & 255);
const name = (text) =>
  Buffer.concat([
    ...text.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ]);
const record = (owner, type, data, ttl = 300) =>
  Buffer.concat([
    owner,
    short(type),
    short(1),
    Buffer.from([0, 0, ttl >> 8, ttl & 255]),
    short(data.length),
    data,
  ]);
const asked = '_993._tcp.mail.example.org';

function message({
  bits = 0x81a0,
  type = 52,
  question = asked,
  answers = [],
  authorities = [],
  additional = [],
}) {
  return Buffer.concat([
    short(7),
    short(bits),
    short(1),
    short(answers.length),
    short(authorities.length),
    short(additional.length),
    name(question),
    short(type),
    short(1),
    ...answers,
    ...authorities,
    ...additional,
  ]);
}

const pointer = Buffer.of(0xc0, 12);
const tlsa = Buffer.concat([Buffer.of(3, 1, 1), Buffer.alloc(32, 9)]);
const opt = Buffer.concat([Buffer.of(0), short(41), short(1232), Buffer.of(1, 0, 0x80, 0), short(0)]);
const soa = Buffer.concat([Buffer.of(0, 0), Buffer.alloc(16), Buffer.of(0, 0, 0, 60)]);
/** Where the data of the first answer stands. */
const loopAt = 12 + name(asked).length + 4 + 12;
const messages = [
  message({ answers: [record(pointer, 52, tlsa)], additional: [opt] }),
  message({ bits: 0x8180, answers: [record(pointer, 52, tlsa)] }),
  message({ answers: [record(pointer, 5, name('other.example')), record(name('other.example'), 52, tlsa)] }),
  message({ bits: 0x81a3, authorities: [record(pointer, 6, soa)] }),
  message({
    answers: [record(pointer, 5, Buffer.concat([Buffer.of(1), Buffer.from('x'), Buffer.of(0xc0, 12)]))],
  }),
  message({ answers: [record(Buffer.of(0xc0, 0), 52, tlsa)] }),
  // A pointer to itself, and one to that.
  message({
    answers: [
      record(pointer, 52, Buffer.from(`\xc0${String.fromCharCode(loopAt)}`, 'latin1')),
      record(Buffer.of(0xc0, loopAt), 52, tlsa),
    ],
  }),
];

/** RFC 1035 section 4.1.4, by going back only to what was read before; null for no name. */
function simpleName(bytes, start) {
  const labels = [];
  let [at, end, limit, octets] = [start, -1, start, 1];
  for (let steps = 0; steps < 200; steps += 1) {
    const size = bytes[at];
    if (size === undefined) return null;
    if (size === 0) return { labels, end: end < 0 ? at + 1 : end };
    if ((size & 0xc0) === 0xc0) {
      if (at + 1 >= bytes.length) return null;
      const to = ((size & 63) << 8) | bytes[at + 1];
      if (to >= limit) return null;
      if (end < 0) end = at + 2;
      limit = to;
      at = to;
      continue;
    }
    if (size > 63 || at + 1 + size > bytes.length) return null;
    octets += size + 1;
    if (octets > 255) return null;
    labels.push(bytes.subarray(at + 1, at + 1 + size).toString('hex'));
    at += 1 + size;
  }
  return null;
}

/** How many records of IN or OPT in each part, and where the last ends; null for no message. */
function simpleCounts(bytes) {
  if (bytes.length < 12) return null;
  const [questions, ...parts] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at));
  let at = 12;
  const skipName = () => {
    const read = simpleName(bytes, at);
    at = read === null ? Infinity : read.end;
    return read;
  };
  if (questions > 1) return null;
  if (questions === 1 && (skipName() === null || at + 4 > bytes.length || bytes.readUInt16BE(at + 2) !== 1))
    return null;
  at += questions * 4;
  const counts = [];
  for (const part of parts) {
    let counted = 0;
    for (let left = part; left > 0; left -= 1) {
      if (skipName() === null || at + 10 > bytes.length) return null;
      const [type, kind, length] = [
        bytes.readUInt16BE(at),
        bytes.readUInt16BE(at + 2),
        bytes.readUInt16BE(at + 8),
      ];
      at += 10;
      if (at + length > bytes.length) return null;
      if (type === 5 && simpleName(bytes, at)?.end !== at + length) return null;
      at += length;
      if (kind === 1 || type === 41) counted += 1;
    }
    counts.push(counted);
  }
  return counts.slice(0, 2);
}

const cut = (all) => cutByChance(all, randomFrom(all.length)).filter((piece) => piece.length > 0);

const single = (all) => Array.from(all, (_, at) => all.subarray(at, at + 1));

export const target = {
  name: 'dns',
  files: ['src/net/dns-message', 'src/net/dns-stream', 'src/net/tlsa-look-up', 'src/net/resolver'],
  dictionary: [
    '\xc0\x0c',
    '\xc0\x00',
    '\xc0\xff',
    '\x00\x05\x00\x01',
    '\x00\x34\x00\x01',
    '\x00\x29',
    '\x3f',
    '\x40',
    '\x00\x00',
    '\xff\xff',
    '\x81\xa0',
    '\x81\x82',
  ],
  longest: 3000,
  prepare: async (from) => {
    const { decodeMessage, encodeQuery } = await from('src/net/dns-message');
    const { askByStream } = await from('src/net/dns-stream');
    const { lookUp } = await from('src/net/tlsa-look-up');
    const endpoint = { name: 'mail.example.org:993', host: 'mail.example.org', port: 993, kind: 'dns' };
    const decoded = (bytes) => onlyThrows(['DnsFormatError'], () => decodeMessage(bytes)) ?? null;
    const checkMessage = (bytes) => {
      const read = decoded(bytes);
      const counts = simpleCounts(bytes);
      demandSame(
        read === null ? null : [read.answers.length, read.authorities.length],
        counts,
        'both readers find the same records',
      );
      if (read === null) return;
      const names = [...read.answers, ...read.authorities].flatMap(({ name: owner, target: to }) =>
        to === null ? [owner] : [owner, to],
      );
      for (const owner of names)
        demand(/^[a-z0-9_*.\\-]*$/.test(owner) && owner.length <= 1100, 'a name is plain and bounded', owner);
      const { name: question, type } = read.question ?? { name: 'a', type: 1 };
      const query = onlyThrows(['RangeError'], () => encodeQuery(1, { name: question, type }));
      if (query !== undefined && !question.includes('\\'))
        demandSame(
          decodeMessage(query).question,
          { name: question, type },
          'a question reads back as it was written',
        );
    };
    const checkLookUp = async (bytes) => {
      const line = {
        ask: async () => {
          const read = decoded(bytes);
          if (read === null) throw Object.assign(new Error('no message'), { name: 'ResolverError' });
          return read;
        },
        close: () => undefined,
      };
      const outcome = await lookUp(line, endpoint, 0).catch((error) => {
        if (error?.name !== 'ResolverError') throw error;
        return null;
      });
      if (outcome?.state === 'records') {
        demand((bytes[3] & 0x20) !== 0, 'records count only where they were verified');
        demand(outcome.records.length <= 64 && outcome.expires <= 3_600_000, 'what is kept is bounded');
      }
    };
    const overStream = async (frame, inPieces) => {
      const socket = Object.assign(new EventEmitter(), {
        destroyed: false,
        pause: () => undefined,
        resume: () => undefined,
        write: () => undefined,
      });
      socket.write = (query) => {
        const answer = Buffer.from(frame);
        // The number of the question is drawn by whoever asks.
        if (answer.length >= 4 && answer[2] === 0 && answer[3] === 7) query.copy(answer, 2, 2, 4);
        queueMicrotask(() => {
          for (const piece of inPieces(answer)) socket.emit('data', piece);
          socket.emit('end');
        });
      };
      return askByStream(socket, { name: asked, type: 52 }, new AbortController().signal).then(
        ({ answers }) => answers.length,
        (error) => {
          if (error?.name !== 'ResolverError') throw error;
          return error.message;
        },
      );
    };
    const checkStream = async (bytes) => {
      // The number of the question is drawn anew each time: a name that leads into it is another one each time.
      if (bytes.some((octet, at) => octet === 0xc0 && (bytes[at + 1] ?? 0) < 12)) return;
      const frame = Buffer.concat([short(bytes.length), bytes]);
      const whole = await overStream(frame, (all) => [all]);
      demandSame(await overStream(frame, cut), whole, 'in other pieces an answer is the same');
      if (frame.length < 300)
        demandSame(await overStream(frame, single), whole, 'one by one an answer is the same');
    };
    const run = async (bytes) => {
      checkMessage(bytes);
      await checkLookUp(bytes);
      await checkStream(bytes);
    };
    return { seeds: messages, run };
  },
};
