// The resolver of a run, asked for TLSA records over UDP and TCP on loopback: says of each stage what its script has it say,
// right or wrong (`answers`). It writes messages by itself and shares no code with what reads them. What DNSSEC proved is the
// AD bit, as with any validating resolver.

import { createHash, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const types = { A: 1, CNAME: 5, OPT: 41, TLSA: 52 };
const short = (value) => Buffer.of(value >> 8, value & 0xff);
const nameOctets = (name) =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, 'latin1')])),
    Buffer.of(0),
  ]);

function recordOctets({ name, type, kind = 1, ttl = 0, data }) {
  const octets = typeof data === 'string' ? nameOctets(data) : data;
  const life = Buffer.alloc(4);
  life.writeUInt32BE(ttl);
  return Buffer.concat([
    nameOctets(name),
    short(types[type]),
    short(kind),
    life,
    short(octets.length),
    octets,
  ]);
}

/** `reply`: rcode, extended (its upper bits), proven, cut, asks, id, question, answers; or `raw` in place of all that. */
function messageOf(query, reply) {
  if (reply.raw !== undefined) return reply.raw;
  const { answers = [], rcode = 0, extended = null, proven = true } = reply;
  const bits =
    (reply.asks === true ? 0x0100 : 0x8180) | (proven ? 0x20 : 0) | (reply.cut === true ? 0x200 : 0) | rcode;
  const more =
    extended === null
      ? []
      : [Buffer.concat([Buffer.of(0), short(types.OPT), short(1232), Buffer.of(extended, 0, 0, 0, 0, 0)])];
  return Buffer.concat([
    ...[reply.id ?? query.id, bits, 1, answers.length, 0, more.length].map(short),
    nameOctets(reply.question ?? query.name),
    short(query.type),
    short(1),
    ...answers.map(recordOctets),
    ...more,
  ]);
}

function queryOf(bytes, over) {
  const labels = [];
  let at = 12;
  for (let size = bytes[at]; size > 0; size = bytes[at]) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  const [id, bits] = [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  return {
    id,
    over,
    name: labels.join('.'),
    type: bytes.readUInt16BE(at + 1),
    unchecked: (bits & 0x10) !== 0,
  };
}

/** What is in a TLSA record of an identity of authority.mjs; `above`: of the certificate that it sends along. */
function tlsaData(identity, { usage = 3, selector = 1, matching = 1, above = false, length } = {}) {
  const certificates = identity.cert.split(/(?<=-----END CERTIFICATE-----)\n/).filter((pem) => pem !== '');
  const certificate = new X509Certificate(certificates[above ? 1 : 0]);
  const selected =
    selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  const hash = { 0: null, 2: 'sha512' }[matching];
  const value =
    hash === null
      ? selected
      : createHash(hash ?? 'sha256')
          .update(selected)
          .digest();
  return Buffer.concat([Buffer.of(usage, selector, matching), value.subarray(0, length ?? value.length)]);
}

const garbage = ({ id }) => [
  Buffer.alloc(0),
  Buffer.from('no DNS at all\r\n'),
  Buffer.concat([short(id), Buffer.from('8580ffffffffffffffff', 'hex')]),
  // One answer, whose name is a pointer to itself.
  Buffer.concat([short(id), Buffer.from('85a00000000100000000c00c', 'hex')]),
  Buffer.alloc(4096, 0x3f),
];

const asksTlsa = ({ type }) => type === types.TLSA;
const other = (name) => ({ name, type: 'TLSA' });
const onTcp = ({ over }) => over === 'tcp';
/** In one datagram it is cut; over TCP it is what `rest` says. */
const cutUntilTcp = (rest) => (query, zone) =>
  asksTlsa(query) && !onTcp(query) ? [{ cut: true }] : asksTlsa(query) ? rest(query, zone) : [{}];
/** An answer to the question about records; a host has an address of no interest. */
const saying = (answer) => (query, zone) => (asksTlsa(query) ? answer(query, zone) : [{}]);
const right = (_, zone) => [{ answers: [zone.record()] }];
/** What an attacker would have believed, before what is so. */
const before = (forge) =>
  saying((query, zone) => [...forge(query, zone), { answers: [zone.record({ of: 'good' })] }]);

/**
 * By name, replies to a query; null for none. `zone`: `{host, owner, name, record(how)}`, where a record is of the identity of
 * the script, unless `how` says `of`.
 */
export const answers = {
  right: saying(right),
  'right, over TCP': cutUntilTcp(right),
  'right, after a second': saying((query, zone) => [{ ...right(query, zone)[0], lateMs: 1200 }]),
  'right, behind garbage': saying((query, zone) => [
    ...garbage(query).map((raw) => ({ raw })),
    ...right(query, zone),
  ]),
  'right, by an alias': (query, zone) =>
    asksTlsa(query)
      ? query.name === `_4433._tcp.${zone.name}.alias.test`
        ? [{ answers: [zone.record({ owner: query.name })] }]
        : [{}]
      : [{ answers: [{ name: zone.host, type: 'CNAME', data: `${zone.name}.alias.test` }] }],
  'not proven': saying((_, zone) => [{ proven: false, answers: [zone.record()] }]),
  'not proven, over TCP': cutUntilTcp((_, zone) => [{ proven: false, answers: [zone.record()] }]),
  'signatures that do not verify': saying((query, zone) =>
    query.unchecked
      ? [{ proven: false, answers: [zone.record()] }]
      : [{ rcode: 2, answers: [zone.record()] }],
  ),
  SERVFAIL: () => [{ rcode: 2 }],
  'REFUSED with a record': saying((_, zone) => [{ rcode: 5, answers: [zone.record()] }]),
  'a code beyond fifteen': saying((_, zone) => [{ extended: 1, answers: [zone.record()] }]),
  'no record': () => [{}],
  'no name': () => [{ rcode: 3 }],
  'a record for another port': saying((_, zone) => [
    { answers: [zone.record({ owner: `_993._tcp.${zone.host}` })] },
  ]),
  'a record for another name': saying((_, zone) => [
    { answers: [zone.record({ owner: '_4433._tcp.other.test' })] },
  ]),
  'a record of another class': saying((_, zone) => [{ answers: [{ ...zone.record(), kind: 3 }] }]),
  'usage 0 and 1': saying((_, zone) => [{ answers: [zone.record({ usage: 0 }), zone.record({ usage: 1 })] }]),
  'usage 255': saying((_, zone) => [{ answers: [zone.record({ usage: 255 })] }]),
  'a digest that nobody knows': saying((_, zone) => [{ answers: [zone.record({ matching: 9 })] }]),
  'half a digest': saying((_, zone) => [{ answers: [zone.record({ length: 16 })] }]),
  'no data at all': saying((_, zone) => [{ answers: [zone.record({ length: 0 })] }]),
  'two octets': saying((_, zone) => [{ answers: [{ ...other(zone.owner), data: Buffer.of(3, 1) }] }]),
  'a weak digest beside a strong one': saying((_, zone) => [
    { answers: [zone.record(), zone.record({ matching: 2, of: 'good' })] },
  ]),
  'the key above': saying((_, zone) => [{ answers: [zone.record({ usage: 2, above: true })] }]),
  'the key itself, as one above': saying((_, zone) => [{ answers: [zone.record({ usage: 2 })] }]),
  'another id first': before(({ id }, zone) => [{ id: id ^ 1, answers: [zone.record()] }]),
  'another question first': before((_, zone) => [
    { question: '_4433._tcp.other.test', answers: [zone.record()] },
  ]),
  'a question as an answer first': before((_, zone) => [{ asks: true, answers: [zone.record()] }]),
  'from elsewhere first': before((_, zone) => [{ elsewhere: true, answers: [zone.record()] }]),
  'a hundred guesses first': before(({ id }, zone) =>
    Array.from({ length: 100 }, (_, at) => ({ id: (id + 1 + at) & 0xffff, answers: [zone.record()] })),
  ),
  'seventy records': cutUntilTcp((_, zone) => [{ answers: Array.from({ length: 70 }, () => zone.record()) }]),
  'an answer of 40 000 octets': cutUntilTcp((_, zone) => [
    { answers: Array.from({ length: 500 }, () => zone.record()) },
  ]),
  'cut short, over TCP too': cutUntilTcp((_, zone) => [{ cut: true, answers: [zone.record()] }]),
  'more than was asked, over TCP': cutUntilTcp((query, zone) => [
    ...right(query, zone),
    ...right(query, zone),
  ]),
  'garbage, over TCP': cutUntilTcp(() => [{ raw: Buffer.alloc(300, 0x3f) }]),
  'an end, over TCP': cutUntilTcp(() => [{ close: true }]),
  'aliases in a circle': saying((_, zone) => [
    {
      answers: [
        { name: zone.owner, type: 'CNAME', data: 'a.test' },
        { name: 'a.test', type: 'CNAME', data: zone.owner },
        zone.record(),
      ],
    },
  ]),
  'an alias that is not proven': (query, zone) =>
    asksTlsa(query)
      ? query.name.endsWith('.alias.test')
        ? [{ answers: [zone.record({ owner: query.name })] }]
        : [{}]
      : [
          {
            proven: false,
            answers: [{ name: zone.host, type: 'CNAME', data: `${zone.name}.alias.test` }],
          },
        ],
  'an alias of escape sequences': (query, zone) =>
    asksTlsa(query)
      ? [{ proven: false, answers: [zone.record()] }]
      : [{ answers: [{ name: zone.host, type: 'CNAME', data: `\u001b]0;pwned\u0007.${zone.name}.test` }] }],
  'garbage only': saying((query) => garbage(query).map((raw) => ({ raw }))),
  'another id only': saying(({ id }, zone) => [{ id: id ^ 0x8000, answers: [zone.record()] }]),
  nothing: () => null,
  'nothing, over TCP': cutUntilTcp(() => null),
};

/** `zoneOf(name)`: `{answer, of}` of a stage now, or null. */
export class Resolver {
  #zoneOf;
  #identities;
  #udp = createSocket('udp4');
  #elsewhere = createSocket('udp4');
  #tcp = createServer((socket) => this.#stream(socket));
  #open = new Set();
  #waiting = new Set();
  /** Questions so far. */
  asked = 0;

  constructor({ zoneOf, identities }) {
    this.#zoneOf = zoneOf;
    this.#identities = identities;
  }

  async open() {
    this.#tcp.listen(0, '127.0.0.1', 511);
    await once(this.#tcp, 'listening');
    for (const socket of [this.#udp, this.#elsewhere]) socket.on('error', () => undefined);
    this.#udp.on('message', (bytes, { port }) => this.#datagram(bytes, port));
    this.#udp.bind(this.port, '127.0.0.1');
    await once(this.#udp, 'listening');
    this.#elsewhere.bind(0, '127.0.0.1');
    await once(this.#elsewhere, 'listening');
    return this;
  }

  get port() {
    return this.#tcp.address().port;
  }

  close() {
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#udp.close();
    this.#elsewhere.close();
    this.#tcp.close();
    for (const socket of this.#open) socket.destroy();
  }

  #datagram(bytes, port) {
    this.#reply(bytes, 'udp', (message, { elsewhere }) =>
      (elsewhere === true ? this.#elsewhere : this.#udp).send(message, port, '127.0.0.1'),
    );
  }

  #stream(socket) {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const parts = [];
      this.#reply(received.subarray(2), 'tcp', (message, { close }) => {
        if (close === true) socket.end();
        else parts.push(short(message.length), message);
      });
      // In one segment, so that what is more than was asked is there in time.
      if (parts.length > 0) socket.write(Buffer.concat(parts));
      received = Buffer.alloc(0);
    });
  }

  #reply(bytes, over, send) {
    this.asked += 1;
    const query = queryOf(bytes, over);
    const [, name] = /(?:^|\.)([\w-]+)\.(?:hostile|alias)\.test$/.exec(query.name) ?? [];
    const about = this.#zoneOf(name);
    const replies = about === null ? [{ rcode: 5 }] : answers[about.answer](query, this.#zone(name, about));
    for (const reply of replies ?? []) {
      const say = () => send(messageOf(query, reply), reply);
      if (reply.lateMs === undefined) say();
      else this.#later(say, reply.lateMs);
    }
  }

  #later(say, afterMs) {
    const timer = setTimeout(() => {
      this.#waiting.delete(timer);
      say();
    }, afterMs);
    this.#waiting.add(timer);
  }

  #zone(name, about) {
    const host = `${name}.hostile.test`;
    const owner = `_4433._tcp.${host}`;
    return {
      name,
      host,
      owner,
      record: ({ of = about.of, owner: at = owner, ...how } = {}) => ({
        ...other(at),
        data: tlsaData(this.#identities[of], how),
      }),
    };
  }
}
