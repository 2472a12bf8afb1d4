// Drives a Mozilla program from inside, by its own remote protocol (Marionette, version 3): each message is its
// length in bytes, a colon, and JSON. A script runs with the rights of the program itself.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from './wait.ts';

/** The program asked its person something; the message is what it asked. */
export class DialogueOpened extends Error {}

export class Marionette {
  readonly #socket: Socket;
  #heard: Buffer = Buffer.alloc(0);
  #answers: unknown[] = [];
  #lastId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', () => undefined);
  }

  /** Waits until the program listens on `port` of 127.0.0.1. */
  static async connect(port: number): Promise<Marionette> {
    const socket = await until('Marionette to listen', () => dial(port), 60_000);
    const marionette = new Marionette(socket);
    await marionette.#ask('WebDriver:NewSession', {});
    await marionette.#ask('Marionette:SetContext', { value: 'chrome' });
    return marionette;
  }

  /** Runs the body of an asynchronous function whose parameter is `given`; what it returns has to be JSON. */
  async run(body: string, given: Readonly<Record<string, unknown>>, deadlineMs: number): Promise<unknown> {
    const script = `const [given, over] = arguments;
      (async (given) => { ${body} })(given).then(
        (value) => over(JSON.stringify({ value })),
        (error) => over(JSON.stringify({ error: String(error) + String(error.stack) })));`;
    await this.#ask('WebDriver:SetTimeouts', { script: deadlineMs });
    const answer = await this.#ask('WebDriver:ExecuteAsyncScript', { script, args: [given] });
    const text = isRecord(answer) ? answer['value'] : null;
    const outcome: unknown = typeof text === 'string' ? JSON.parse(text) : answer;
    if (text === null) {
      const alert = await this.#ask('WebDriver:GetAlertText', {}).catch((error: unknown) => String(error));
      throw new DialogueOpened(textOf(alert));
    }
    if (!isRecord(outcome) || 'error' in outcome)
      throw new Error(`the script failed: ${JSON.stringify(outcome)}`);
    return outcome['value'];
  }

  close(): void {
    this.#socket.destroy();
  }

  async #ask(command: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const text = JSON.stringify([0, id, command, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    const [, , error, result] = await until(`an answer to ${command}`, () => this.#answerTo(id), 120_000);
    if (error !== null) throw new Error(`${command}: ${JSON.stringify(error).slice(0, 500)}`);
    return result;
  }

  #answerTo(id: number): readonly unknown[] | null {
    const found = this.#answers.find((answer) => Array.isArray(answer) && answer[1] === id);
    if (found === undefined && this.#socket.destroyed) throw new Error('the program ended');
    return Array.isArray(found) ? found : null;
  }

  #hear(chunk: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, chunk]);
    for (;;) {
      const colon = this.#heard.indexOf(0x3a);
      const end = colon + 1 + Number(this.#heard.subarray(0, Math.max(colon, 0)).toString());
      if (colon < 0 || this.#heard.length < end) return;
      const answer: unknown = JSON.parse(this.#heard.subarray(colon + 1, end).toString());
      this.#answers = [...this.#answers, answer];
      this.#heard = this.#heard.subarray(end);
    }
  }
}

async function dial(port: number): Promise<Socket | null> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return null;
  }
}

const textOf = (alert: unknown): string =>
  isRecord(alert) && typeof alert['value'] === 'string' ? alert['value'] : JSON.stringify(alert);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
