// A client that says exactly what a test wants said, byte by byte, and gives back exactly what it heard: in clear,
// after STARTTLS or in TLS, and compressed where that was agreed on (RFC 4978).

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import type { Where } from './clients/client.ts';
import { until } from './wait.ts';

type Spoken = 'imap' | 'pop3' | 'smtp';

/** How each protocol asks for TLS, after a greeting and until a go-ahead. */
const startTls: Readonly<Record<Spoken, readonly [RegExp, string, RegExp]>> = {
  imap: [/^\* OK [^\n]*\n/, 'x STARTTLS', /^x OK [^\n]*\n/m],
  pop3: [/^\+OK[^\n]*\n/, 'STLS', /^\+OK[^\n]*\n/m],
  smtp: [/^220 [^\n]*\n/m, 'STARTTLS', /^220 [^\n]*\n/m],
};

export class RawClient {
  #socket: Socket;
  #write: (bytes: Buffer) => void;
  #heard = Buffer.alloc(0);
  readonly #take = (bytes: Buffer): void => this.#hear(bytes);
  #trouble: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#write = (bytes) => socket.write(bytes);
    this.#listen();
  }

  /** Connects and, where `where` says so, gets TLS; a greeting in TLS or in clear is still to be heard then. */
  static async connect(where: Where, protocol: Spoken): Promise<RawClient> {
    const { host, port, tls, caFile } = where;
    const trust = { ca: tls === 'none' ? '' : await readFile(caFile), servername: host };
    const socket = tls === 'implicit' ? connectTls({ host, port, ...trust }) : connect({ host, port });
    await once(socket, tls === 'implicit' ? 'secureConnect' : 'connect');
    const client = new RawClient(socket);
    if (tls !== 'starttls') return client;
    const [greeting, command, goAhead] = startTls[protocol];
    await client.hear(greeting);
    if (protocol === 'smtp') await client.say('EHLO client').hear(/^250 [^\n]*\n/m);
    await client.say(command).hear(goAhead);
    client.#deafen();
    const secure = connectTls({ socket, ...trust });
    await once(secure, 'secureConnect');
    return new RawClient(secure);
  }

  say(line: string): this {
    return this.send(`${line}\r\n`);
  }

  /** Text as latin1. */
  send(bytes: string | Buffer): this {
    this.#write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  /** Waits for `pattern` in what was not heard yet, and gives everything up to its end, as latin1. */
  async hear(pattern: RegExp, deadlineMs = 30_000): Promise<string> {
    let text = '';
    let length = -1;
    const found = await until(
      `${pattern} after "${this.#heard.toString('latin1', 0, 300)}"`,
      () => {
        if (this.#heard.length !== length) text = this.#heard.toString('latin1');
        length = this.#heard.length;
        const match = pattern.exec(text);
        if (match === null && this.#trouble !== null) throw this.#trouble;
        return match;
      },
      deadlineMs,
    );
    const end = found.index + found[0].length;
    this.#heard = this.#heard.subarray(end);
    return text.slice(0, end);
  }

  /** From here on both directions are compressed. */
  compress(): void {
    const out = createDeflateRaw();
    const back = createInflateRaw();
    const socket = this.#socket;
    out.on('data', (bytes: Buffer) => socket.write(bytes));
    back.on('data', (bytes: Buffer) => this.#hear(bytes));
    back.on('error', (error) => (this.#trouble = error));
    this.#write = (bytes) => {
      out.write(bytes);
      out.flush(constants.Z_SYNC_FLUSH);
    };
    this.#deafen();
    socket.on('data', (bytes: Buffer) => back.write(bytes));
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(bytes: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, bytes]);
  }

  #deafen(): void {
    this.#socket.removeListener('data', this.#take);
  }

  #listen(): void {
    this.#socket.on('data', this.#take);
    this.#socket.on('error', (error) => (this.#trouble = error));
    this.#socket.on('close', () => (this.#trouble ??= new Error('the other side closed')));
  }
}
