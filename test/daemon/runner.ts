// A daemon as a process of its own, for the tests of signals and crashes. Run with the folder to live in, the
// port of an upstream, and what to do once it runs; a reload reads `next.json` there, and `listen.json` says
// where it listens when that is not any port.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { runDaemon, type RunOptions } from '../../src/daemon.ts';
import { plainRoute } from '../proxy/route.ts';
import { endpointOf } from '../../src/endpoint.ts';
import { CommandError } from '../../src/errors.ts';
import type { Route } from '../../src/proxy/route.ts';

const [folder = '', port = '', action = ''] = process.argv.slice(2);

const listen = (): Route['listen'] => {
  const file = join(folder, 'listen.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : plainRoute.listen;
};

const route = (name: string): Route => ({
  ...plainRoute,
  name,
  listen: listen(),
  endpoint: endpointOf('127.0.0.1', Number(port)),
  upstream: `imaps://127.0.0.1:${port}`,
});

const config = (name: string): Config => ({
  state: join(folder, 'state'),
  routes: [route(name)],
  resolver: null,
  metrics: null,
  admin: { socket: { path: join(folder, 'admin.sock'), mode: 0o600, group: null }, listen: null },
  localCa: { names: [] },
  log: { level: 'info', format: 'json' },
  shutdownSeconds: 60,
});

const actions: Readonly<Record<string, () => void>> = {
  '': () => undefined,
  throw: () => {
    throw Object.assign(new RangeError('a LOGIN anna CANARY-PASSWORD\n    at CANARY (canary.ts:1:1)'), {
      code: 'ERR_TEST',
    });
  },
  reject: () => void Promise.reject(new TypeError('CANARY-PASSWORD')),
};

/** As the command line does it: nothing is forced to end. */
function failed(error: unknown): number {
  const { message, hint } = error instanceof CommandError ? error : { message: String(error), hint: null };
  console.error(`${message}\n${hint ?? ''}`);
  return 1;
}

const options: RunOptions = {
  reread: async () => ({
    ok: true,
    config: config(String(JSON.parse(readFileSync(join(folder, 'next.json'), 'utf8')))),
  }),
  started: () => setImmediate(actions[action] ?? (() => undefined)),
};

process.exitCode = await runDaemon(config('first'), options).catch(failed);
