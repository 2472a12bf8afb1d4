// Sets the demo's stage in a temporary folder: the mail server, a configuration file, and letterlock itself
// with a state of its own. Nothing of the user's is touched, and all of it goes when the demo ends.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type ConfigSources } from '../config/load.ts';
import { thisHome } from '../config/paths.ts';
import { startDaemon, type Daemon } from '../daemon.ts';
import { CommandError } from '../errors.ts';
import type { ProxyEvent } from '../proxy/events.ts';
import type { Account } from './clients.ts';
import { DemoServer } from './server.ts';

const host = 'mail.demo.test';
const services = [
  { service: 'imap', scheme: 'imaps', port: 993, local: 1143 },
  { service: 'pop3', scheme: 'pop3s', port: 995, local: 1110 },
  { service: 'submission', scheme: 'submissions', port: 465, local: 1587 },
] as const;

export interface Stage {
  readonly server: DemoServer;
  readonly daemon: Daemon;
  readonly account: Account;
  readonly configFile: string;
  /** The endpoints' names, IMAP first. */
  readonly endpoints: readonly string[];
  close(): Promise<void>;
}

/** Whoever pressed Ctrl-C does not wait for a mail client that stays connected. */
const drainMs = 1000;

/** @throws CommandError when letterlock cannot start. The caller closes the stage. */
export async function setStage(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly on: (event: ProxyEvent) => void;
  /** Of letterlock's log; errors alone without it. */
  readonly flags?: ConfigSources['flags'];
}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'letterlock-demo-'));
  const user = { name: 'demo', password: 'demo' };
  const server = await DemoServer.start({ host, user, now: Date.now });
  const close = async (): Promise<void> => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const ports = await localPorts();
    const configFile = join(folder, 'letterlock.yaml');
    await writeFile(configFile, configText(folder, { ports, server }));
    const daemon = await startFrom(configFile, options);
    return {
      server,
      daemon,
      configFile,
      account: { user, ports },
      endpoints: services.map(({ port }) => `${host}:${port}`),
      close: async () => {
        await daemon.close(drainMs);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Ports = Account['ports'];

function configText(
  folder: string,
  { ports, server }: { readonly ports: Ports; readonly server: DemoServer },
): string {
  const routes = services.map(
    ({ service, scheme, port }) =>
      `  - listen: localhost:${ports[service]}\n    upstream: ${scheme}://${host}:${port}\n    address: 127.0.0.1:${server.port(service)}\n`,
  );
  return `state: ${join(folder, 'state')}\nmetrics: null\nlog: {level: error}\nroutes:\n${routes.join('')}`;
}

async function startFrom(file: string, options: Parameters<typeof setStage>[0]): Promise<Daemon> {
  // The user's own letterlock settings must not reach the demo's.
  const env = Object.fromEntries(
    Object.entries(options.env).filter(([name]) => !name.startsWith('LETTERLOCK_')),
  );
  const flags = options.flags ?? {};
  const sources = { file, routes: [], flags, home: thisHome(env), cwd: tmpdir(), needsRoutes: true };
  const loaded = await loadConfig(sources);
  if (!loaded.ok)
    throw new CommandError(
      options.flags === undefined ? 'internal' : 'config',
      loaded.problems.map(({ message }) => message).join('; '),
    );
  return startDaemon(loaded.config, { env, on: options.on });
}

/** The usual local ports where they are free, else any. */
async function localPorts(): Promise<Ports> {
  const chosen: Partial<Record<keyof Ports, number>> = {};
  for (const { service, local } of services)
    chosen[service] = (await bindable(local)) ?? (await bindable(0)) ?? 0;
  return { imap: 0, pop3: 0, submission: 0, ...chosen };
}

/** The port bound and let go again; null when somebody has it. */
function bindable(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : null));
    });
  });
}
