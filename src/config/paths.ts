// Where state, sockets and configuration are by default: XDG for a person, the system directories for root.

import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user and environment that decide default places. */
export interface Home {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number | null;
}

export const thisHome = (env: NodeJS.ProcessEnv): Home => ({ env, uid: process.getuid?.() ?? null });

/** `/var/lib/letterlock` for root, else `$XDG_STATE_HOME/letterlock`, `~/.local/state/letterlock`. */
export function defaultState({ env, uid }: Home): string {
  const service = firstAbsolute(env['STATE_DIRECTORY']);
  if (service !== null) return service;
  if (uid === 0) return '/var/lib/letterlock';
  return join(absolute(env['XDG_STATE_HOME']) ?? join(homeOf(env), '.local/state'), 'letterlock');
}

/**
 * The socket of a daemon with this state: the well-known one for the default state, so that commands find it
 * without being told; beside the store for any other, so that two daemons never want the same.
 */
export function defaultSocket(state: string, home: Home): string {
  const service = firstAbsolute(home.env['RUNTIME_DIRECTORY']);
  if (service !== null) return join(service, 'admin.sock');
  if (state !== defaultState(home)) return join(state, 'admin.sock');
  if (home.uid === 0) return '/run/letterlock/admin.sock';
  const runtime = absolute(home.env['XDG_RUNTIME_DIR']);
  return runtime === null ? join(state, 'admin.sock') : join(runtime, 'letterlock/admin.sock');
}

/** Configuration files looked for when none is named, in order. */
export function defaultFiles({ env, uid }: Home): readonly string[] {
  const own = join(
    absolute(env['XDG_CONFIG_HOME']) ?? join(homeOf(env), '.config'),
    'letterlock/letterlock.yaml',
  );
  return uid === 0 ? ['/etc/letterlock/letterlock.yaml'] : [own, '/etc/letterlock/letterlock.yaml'];
}

const homeOf = (env: NodeJS.ProcessEnv): string => absolute(env['HOME']) ?? homedir();

/** XDG: a path that is not absolute is to be ignored. */
const absolute = (path: string | undefined): string | null => (path?.startsWith('/') === true ? path : null);

/** systemd may give several directories, separated by colons. */
const firstAbsolute = (paths: string | undefined): string | null => absolute(paths?.split(':')[0]);
