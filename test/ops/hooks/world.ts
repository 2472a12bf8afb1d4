// Receivers of webhooks with scripted answers, programs that note how they were run, and notices to tell them.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { notice } from '../../../src/ops/hooks/notice.ts';
import { payloadOf, type Payload } from '../../../src/ops/hooks/payload.ts';
import type { ExecHook, WebhookHook } from '../../../src/ops/hooks/hook.ts';
import { portOf, type Identity } from '../../net/peers.ts';

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

export type Answering = (response: ServerResponse, count: number) => void;

const saying =
  (status: number, headers: Record<string, string> = {}): Answering =>
  (response) => {
    response.writeHead(status, headers).end('thank you');
  };

/** A receiver on this machine, over TLS where it has an identity. It notes all it gets. */
export class Receiver {
  readonly got: Got[] = [];
  readonly #answers: readonly Answering[];
  readonly #server;
  connections = 0;

  private constructor(identity: Identity | null, answers: readonly Answering[]) {
    this.#answers = answers;
    this.#server = identity === null ? createServer() : createTlsServer({ ...identity });
    this.#server.on('connection', () => (this.connections += 1));
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url = '', headers } = request;
        this.got.push({ path: url, headers, body: Buffer.concat(chunks).toString(), at: performance.now() });
        const count = this.got.length;
        const answer = this.#answers[Math.min(count, this.#answers.length) - 1] ?? saying(204);
        answer(response, count);
      });
    });
  }

  /** The last answer is given again to whoever asks more often. */
  static async open(
    identity: Identity | null,
    ...answers: readonly (Answering | number)[]
  ): Promise<Receiver> {
    const made = answers.map((answer) => (typeof answer === 'number' ? saying(answer) : answer));
    const receiver = new Receiver(identity, made);
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return portOf(this.#server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export { saying };

/** Of what a receiver got: whether the reference library takes it under `key`; its content. */
export const verified = ({ body, headers }: Got, key = secret): unknown =>
  new Webhook(key).verify(
    body,
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  );

export const webhook = (
  receiver: { readonly port: number },
  facts: Partial<WebhookHook> = {},
): WebhookHook => ({
  kind: 'webhook',
  name: 'pager',
  on: ['refused', 'first-use'],
  timeoutMs: 3000,
  repeatMs: 600_000,
  url: { scheme: 'https', host: '127.0.0.1', port: receiver.port, path: '/hook' },
  secret,
  anchors: null,
  pins: [],
  retries: 0,
  ...facts,
});

export const exec = (argv: readonly [string, ...string[]], facts: Partial<ExecHook> = {}): ExecHook => ({
  kind: 'exec',
  name: 'desktop',
  on: ['refused', 'first-use'],
  timeoutMs: 5000,
  repeatMs: 600_000,
  argv,
  ...facts,
});

export const teller = { machine: 'machine.example', version: '1.2.3' };

export const somePayload = (message = 'letterlock refused imap.example.org: its key changed'): Payload =>
  payloadOf(
    {
      id: 'msg_1',
      at: 1_790_000_000_000,
      notice: notice('refused', message, { endpoint: 'imap.example.org:993', reason: 'pin-mismatch' }),
      suppressed: 0,
    },
    { hook: 'desktop', teller },
  );

/** A folder for programs and what they note; whoever makes it removes it. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'll-hooks-'));

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A program for /bin/sh; `$OUT` in it is the folder. */
  program(name: string, script: string): string {
    const path = this.path(name);
    writeFileSync(path, `#!/bin/sh\nOUT='${this.folder}'\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** Null while it is not there. */
  read(name: string): string | null {
    return existsSync(this.path(name)) ? readFileSync(this.path(name), 'utf8') : null;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
