// A resolver of a test's own: answers over UDP, TCP and TLS on one port of 127.0.0.1, with whatever the test says. It writes
// messages by itself and shares no code with what reads them.

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { portOf, type Identity } from './peers.ts';

const types = { A: 1, CNAME: 5, SOA: 6, TLSA: 52 } as const;

export interface FakeRecord {
  readonly name: string;
  readonly type: keyof typeof types;
  readonly ttl?: number;
  /** Octets, or the target of a CNAME. */
  readonly data: Uint8Array | string;
}

export interface Reply {
  readonly rcode?: number;
  /** Default: as the zone of a signed name would have it. */
  readonly authentic?: boolean;
  readonly truncated?: boolean;
  readonly answers?: readonly FakeRecord[];
  readonly authorities?: readonly FakeRecord[];
  /** Says of itself that it is no answer. */
  readonly asks?: boolean;
  /** In place of those of the query. */
  readonly id?: number;
  readonly question?: string;
  /** In place of the whole message. */
  readonly raw?: Uint8Array;
}

export interface Query {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly over: 'udp' | 'tcp' | 'tls';
  readonly checkingDisabled: boolean;
  readonly wantsAuthentic: boolean;
}

/** Null: no answer at all. */
export type Answering = (query: Query) => Reply | readonly Reply[] | null;

const short = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

const nameOctets = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);

function recordOctets({ name, type, ttl = 300, data }: FakeRecord): Buffer {
  const octets = typeof data === 'string' ? nameOctets(data) : data;
  const life = Buffer.alloc(4);
  life.writeUInt32BE(ttl);
  return Buffer.concat([nameOctets(name), short(types[type]), short(1), life, short(octets.length), octets]);
}

/** Octets of an SOA whose last field is `minimum`. */
export function soa(name: string, minimum: number, ttl = 3_600): FakeRecord {
  const fields = Buffer.alloc(20);
  fields.writeUInt32BE(minimum, 16);
  return {
    name,
    type: 'SOA',
    ttl,
    data: Buffer.concat([nameOctets('ns.test'), nameOctets('who.test'), fields]),
  };
}

function messageOf(query: Query, reply: Reply): Buffer {
  if (reply.raw !== undefined) return Buffer.from(reply.raw);
  const { answers = [], authorities = [], rcode = 0, authentic = true } = reply;
  const bits =
    (reply.asks === true ? 0x0100 : 0x8180) |
    (authentic ? 0x20 : 0) |
    (reply.truncated === true ? 0x200 : 0) |
    rcode;
  return Buffer.concat([
    ...[reply.id ?? query.id, bits, 1, answers.length, authorities.length, 0].map(short),
    nameOctets(reply.question ?? query.name),
    short(query.type),
    short(1),
    ...[...answers, ...authorities].map(recordOctets),
  ]);
}

function queryOf(bytes: Buffer, over: Query['over']): Query {
  const labels: string[] = [];
  let at = 12;
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += size + 1;
  }
  const bits = bytes.readUInt16BE(2);
  return {
    id: bytes.readUInt16BE(0),
    name: labels.join('.'),
    type: bytes.readUInt16BE(at + 1),
    over,
    checkingDisabled: (bits & 0x10) !== 0,
    wantsAuthentic: (bits & 0x20) !== 0 && bytes.readUInt16BE(bytes.length - 4) === 0x8000,
  };
}

export class FakeResolver {
  readonly asked: Query[] = [];
  readonly #answer: Answering;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #open = new Set<Socket>();

  private constructor(answer: Answering, identity: Identity | null) {
    this.#answer = answer;
    this.#udp = createSocket('udp4');
    this.#udp.on('message', (bytes, from) => this.#datagram(bytes, from));
    this.#tcp =
      identity === null
        ? createServer((socket) => this.#stream(socket, 'tcp'))
        : createTlsServer({ ...identity }, (socket) => this.#stream(socket, 'tls'));
    this.#tcp.on('connection', (socket) => this.#open.add(socket));
    this.#tcp.on('tlsClientError', () => undefined);
  }

  /** With an identity its stream side speaks TLS. */
  static async open(answer: Answering, identity: Identity | null = null): Promise<FakeResolver> {
    const resolver = new FakeResolver(answer, identity);
    resolver.#tcp.listen(0, '127.0.0.1');
    await once(resolver.#tcp, 'listening');
    resolver.#udp.bind(resolver.port, '127.0.0.1');
    await once(resolver.#udp, 'listening');
    return resolver;
  }

  get port(): number {
    return portOf(this.#tcp);
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#open) socket.destroy();
  }

  #datagram(bytes: Buffer, { address, port }: RemoteInfo): void {
    for (const message of this.#messages(bytes, 'udp')) this.#udp.send(message, port, address);
  }

  #stream(socket: Socket, over: 'tcp' | 'tls'): void {
    this.#open.add(socket);
    socket.on('error', () => undefined);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        for (const message of this.#messages(received.subarray(2, end), over))
          socket.write(Buffer.concat([short(message.length), message]));
        received = received.subarray(end);
      }
    });
  }

  #messages(bytes: Buffer, over: Query['over']): readonly Buffer[] {
    const query = queryOf(bytes, over);
    this.asked.push(query);
    const replies = this.#answer(query);
    return [replies ?? []].flat().map((reply) => messageOf(query, reply));
  }
}
