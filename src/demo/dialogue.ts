// A mail client's side of a line protocol over a plaintext connection: what an old mail client does, with
// every line shown. Passwords are shown as stars.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LineReader } from './line-reader.ts';

/** Shows one line; `C` is the mail client, `S` what it gets. */
export type Show = (who: 'C' | 'S', line: string) => void;

const deadlineMs = 20_000;

export class Dialogue {
  readonly #socket: Socket;
  readonly #reader: LineReader;
  readonly #show: Show;

  private constructor(socket: Socket, show: Show) {
    this.#socket = socket;
    this.#reader = new LineReader(socket);
    this.#show = show;
  }

  /** Connects to localhost; the caller closes. */
  static async open(port: number, show: Show): Promise<Dialogue> {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => undefined);
    await once(socket, 'connect', { signal: AbortSignal.timeout(deadlineMs) });
    socket.setTimeout(deadlineMs, () => socket.destroy());
    return new Dialogue(socket, show);
  }

  /** Sends a line; `shown` stands in its place where it holds a secret. */
  send(line: string, shown: string = line): void {
    this.#show('C', shown);
    this.#socket.write(`${line}\r\n`);
  }

  /** Receives lines up to the first that `isLast` takes, shows the first and the last, and returns all. */
  async receive(isLast: (line: string) => boolean): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#reader.line().catch(() => null);
      if (line === null) break;
      lines.push(line);
      if (isLast(line)) break;
    }
    this.#showEnds(lines);
    return lines;
  }

  close(): void {
    this.#socket.destroy();
  }

  #showEnds(lines: readonly string[]): void {
    const shown =
      lines.length > 3 ? [lines[0], `... ${lines.length - 2} more lines ...`, lines.at(-1)] : lines;
    for (const line of shown) this.#show('S', line ?? '');
  }
}
