// Tries to bind every place that would be listened on, and lets go of it at once. What the running daemon has is not
// tried.

import type { StatusShape } from '../../admin/shapes.ts';
import type { Config } from '../../config.ts';
import { bracketed } from '../../endpoint.ts';
import { CommandError } from '../../errors.ts';
import type { ListenPlace } from '../../proxy/route.ts';
import { codeOf } from '../../net/failure.ts';
import { listenTcp } from '../../proxy/listen-tcp.ts';
import { refuseUnsafeFolder } from '../../proxy/safe-folder.ts';
import type { PlaceFacts } from '../checks/ports.ts';
import { textOf } from './files.ts';

type TcpPlace = Extract<ListenPlace, { readonly kind: 'tcp' }>;

export async function seePorts(config: Config, status: StatusShape | null): Promise<readonly PlaceFacts[]> {
  const bound = boundBy(status);
  const found: PlaceFacts[] = [];
  // One after another: two routes that want one port are a problem of the configuration, told there.
  for (const { name, listen, unsafeListen, clientTls } of config.routes) {
    const reach = unsafeListen || clientTls.mode !== 'off' ? 'anywhere' : 'loopback';
    for (const place of listen) found.push(await seePlace(place, { what: name, reach, bound }));
  }
  const page = config.admin.listen;
  // A running daemon does not say where it serves its page: most likely there.
  if (page !== null && status === null)
    found.push(await seePlace({ kind: 'tcp', ...page }, { what: 'admin.listen', reach: 'anywhere', bound }));
  if (config.metrics === null) return found;
  const { host, port, explicit } = config.metrics;
  const place: TcpPlace = { kind: 'tcp', host, port };
  const seen = await seePlace(place, { what: 'metrics', reach: 'anywhere', bound });
  return [...found, explicit ? seen : asOptional(seen)];
}

/** `127.0.0.1:1143`, `unix:/run/x.sock`. */
const boundBy = (status: StatusShape | null): ReadonlySet<string> =>
  new Set([
    ...(status?.routes ?? []).flatMap(({ listen }) => listen.split(', ')),
    ...(status?.metrics === null || status === null ? [] : [status.metrics]),
  ]);

interface Wish {
  readonly what: string;
  readonly reach: 'loopback' | 'anywhere';
  readonly bound: ReadonlySet<string>;
}

async function seePlace(place: ListenPlace, { what, reach, bound }: Wish): Promise<PlaceFacts> {
  switch (place.kind) {
    case 'fd':
      return { what, place: `fd:${place.name}`, state: { kind: 'passed' } };
    case 'unix': {
      const text = `unix:${place.path}`;
      if (bound.has(text)) return { what, place: text, state: { kind: 'ours' } };
      return { what, place: text, state: await tried(() => safeFolder(place.path), null) };
    }
    case 'tcp': {
      const text = `${bracketed(place.host)}:${place.port}`;
      const hosts = place.host === 'localhost' ? ['127.0.0.1', '[::1]'] : [bracketed(place.host)];
      if (hosts.some((host) => bound.has(`${host}:${place.port}`)))
        return { what, place: text, state: { kind: 'ours' } };
      return { what, place: text, state: await tried(() => bindOnce(place, { what, reach }), place.port) };
    }
  }
}

/** Throws CommandError where it cannot be bound. */
export async function bindOnce(
  place: TcpPlace,
  { what, reach }: { readonly what: string; readonly reach: 'loopback' | 'anywhere' },
): Promise<void> {
  const { doors } = await listenTcp(place, { name: what, reach, open: new Map() });
  for (const door of doors) door.close();
}

/** Whose folder is safe for the user letterlock runs as, root cannot tell. */
async function safeFolder(path: string): Promise<void> {
  try {
    await refuseUnsafeFolder(path);
  } catch (error) {
    if (process.geteuid?.() !== 0 || !(error instanceof CommandError) || error.code !== 'listen-unsafe')
      throw error;
  }
}

async function tried(work: () => Promise<unknown>, port: number | null): Promise<PlaceFacts['state']> {
  try {
    await work();
    return { kind: 'free', byRoot: port !== null && process.geteuid?.() === 0 && (await isPrivileged(port)) };
  } catch (error) {
    if (error instanceof CommandError)
      return { kind: 'refused', message: error.message, hint: error.hint, optional: false };
    return {
      kind: 'refused',
      message: `cannot be looked at (${codeOf(error)})`,
      hint: null,
      optional: false,
    };
  }
}

async function isPrivileged(port: number): Promise<boolean> {
  const first = Number.parseInt(await textOf('/proc/sys/net/ipv4/ip_unprivileged_port_start'), 10);
  return port !== 0 && port < (Number.isNaN(first) ? 1024 : first);
}

const asOptional = (facts: PlaceFacts): PlaceFacts =>
  facts.state.kind === 'refused' ? { ...facts, state: { ...facts.state, optional: true } } : facts;
