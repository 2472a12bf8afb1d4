// A daemon in a folder of its own, with scripted mail servers behind it.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { startDaemon } from '../../src/daemon.ts';
import type { Daemon, DaemonOptions } from '../../src/daemon.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { Route } from '../../src/proxy/route.ts';
import { FakeClient, FakeServer, routeTo } from '../proxy/world.ts';
import type { Step } from '../proxy/world.ts';
import type { Identity } from '../net/peers.ts';

const quick = {
  farewellDelayMs: 1,
  farewellMs: 2000,
  smtpFarewellMs: 2000,
  lingerMs: 50,
  sieveProofMs: 2000,
};

/** Greets, and sends everything back. */
export const echoing: readonly Step[] = [{ do: 'tls' }, { say: '* OK ready\r\n' }, { do: 'echo' }];

/** Closes what it made, in the reverse order. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'letterlock-daemon-'));
  readonly events: ProxyEvent[] = [];
  readonly #logFd = openSync(join(this.folder, 'log'), 'a');
  readonly #undo: (() => Promise<void> | void)[] = [];
  #wake: () => void = () => undefined;

  config(routes: readonly Route[], changes: Partial<Config> = {}): Config {
    return {
      state: join(this.folder, 'state'),
      routes,
      resolver: null,
      metrics: { host: '127.0.0.1', port: 0, explicit: true },
      admin: {
        socket: { path: join(this.folder, 'run', 'admin.sock'), mode: 0o600, group: null },
        listen: null,
      },
      localCa: { names: [] },
      log: { level: 'info', format: 'json' },
      shutdownSeconds: 10,
      ...changes,
    };
  }

  async start(config: Config, options: DaemonOptions = {}): Promise<Daemon> {
    const on = (event: ProxyEvent): void => {
      this.events.push(event);
      this.#wake();
    };
    const daemon = await startDaemon(config, {
      env: {},
      execArgv: [],
      logFd: this.#logFd,
      timing: quick,
      on,
      ...options,
    });
    this.#undo.push(() => daemon.close(0));
    return daemon;
  }

  async server(identity: Identity, script: readonly Step[] = echoing): Promise<FakeServer> {
    const server = await new FakeServer(identity, script).listen();
    this.#undo.push(() => server.close());
    return server;
  }

  client(daemon: Daemon, at = 0): FakeClient {
    const client = new FakeClient(daemon.routes()[at]?.port ?? 0);
    this.#undo.push(() => {
      client.socket.destroy();
    });
    return client;
  }

  /** Resolves once an event of this type has come, `count` times in all. */
  async event<T extends ProxyEvent['type']>(
    type: T,
    count = 1,
  ): Promise<Extract<ProxyEvent, { readonly type: T }>> {
    for (;;) {
      const found = this.events.filter(
        (event): event is Extract<ProxyEvent, { readonly type: T }> => event.type === type,
      );
      const last = found[count - 1];
      if (last !== undefined) return last;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  get log(): readonly Record<string, unknown>[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line));
  }

  get text(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  async close(): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
    closeSync(this.#logFd);
    rmSync(this.folder, { recursive: true });
  }
}

export { routeTo };

/** The text of a page the daemon serves. */
export async function page(
  daemon: Daemon,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`http://${daemon.metrics ?? ''}${path}`);
  return { status: response.status, text: await response.text() };
}
