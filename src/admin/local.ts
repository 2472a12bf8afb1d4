// The Operator of a command that finds no daemon: it opens the store itself, for as long as the command
// lasts. It makes a store only where the command may (`pins add`); a question never leaves a trace.

import { CommandError } from '../errors.ts';
import type { EmbeddedStore } from '../store/level.ts';
import type { RemoteStore } from '../sharing/remote-store.ts';
import { StoreError } from '../store/store-error.ts';
import { Tofu } from '../tofu.ts';
import type { TrustSettings } from '../trust/evidence.ts';
import { findDaemon, noDaemon } from './find.ts';
import type { Lookup, Tried } from './find.ts';
import { remoteOperator } from './client.ts';
import type { Operator } from './operator.ts';
import { commandErrorOf, operateOn } from './tofu-operator.ts';

export interface LocalOptions {
  /** Absolute state directory. */
  readonly state: string;
  /** `if-missing` only for a command that may make a store. */
  readonly create: 'never' | 'if-missing';
  /** Trust settings of configured endpoints, which commands are evaluated with; empty without a configuration. */
  readonly settings: ReadonlyMap<string, TrustSettings>;
  readonly now: () => number;
  readonly builtAt: number;
  /** What to reject with where only a daemon can answer. */
  readonly noDaemon: () => CommandError;
}

/** Opens the store; whoever opened it closes it, soon. @throws CommandError `store` */
export async function openLocalOperator(options: LocalOptions): Promise<Operator> {
  const store = await openStore(options).catch((error: unknown) => {
    throw commandErrorOf(error);
  });
  try {
    const { now, builtAt, settings } = options;
    const tofu = await Tofu.open({ store, secret: store.secret, now, builtAt, on: () => undefined });
    tofu.configure(settings);
    const daemonOnly = (): Promise<never> => Promise.reject(options.noDaemon());
    return operateOn({
      source: 'store',
      tofu,
      store,
      origin: 'cli',
      now,
      settings: () => settings,
      status: daemonOnly,
      reload: daemonOnly,
      live: {
        sessions: daemonOnly,
        endpoints: daemonOnly,
        probe: daemonOnly,
        // oxlint-disable-next-line require-yield -- there is nothing to tell
        async *follow() {
          throw options.noDaemon();
        },
      },
      close: async () => {
        await tofu.close().catch(() => undefined);
        await store.close().catch(() => undefined);
      },
    });
  } catch (error) {
    await store.close().catch(() => undefined);
    throw commandErrorOf(error);
  }
}

/** Loaded only here: a command that finds a daemon needs no database. A library process may hold it: that one is asked. */
async function openStore({ state, create, now }: LocalOptions): Promise<EmbeddedStore | RemoteStore> {
  const { openLevelStore } = await import('../store/level.ts');
  try {
    return await openLevelStore({ directory: state, create: create === 'if-missing', now });
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'store-locked') throw error;
    const { openGuest } = await import('../sharing/guest.ts');
    const guest = await openGuest(state);
    if (guest === null) throw error;
    return guest;
  }
}

export interface OpenOptions extends Omit<LocalOptions, 'noDaemon'> {
  readonly lookup: Lookup;
  /** What the user typed after `letterlock`, for the line that works. */
  readonly command: readonly string[];
}

/** The daemon where one answers, else the store. @throws CommandError that lists the sockets tried */
export async function openOperator(options: OpenOptions): Promise<Operator> {
  const { path, tried } = await findDaemon(options.lookup);
  if (path !== null) return remoteOperator(path);
  const missing = (): CommandError => noDaemon(tried, options.command);
  try {
    return await openLocalOperator({ ...options, noDaemon: missing });
  } catch (error) {
    throw explained(commandErrorOf(error), { tried, missing });
  }
}

/** A store that is locked or closed to us most often belongs to a daemon whose socket we could not use. */
function explained(
  error: CommandError,
  { tried, missing }: { readonly tried: readonly Tried[]; readonly missing: () => CommandError },
): CommandError {
  const denied = tried.some(({ trouble }) => trouble === 'permission denied');
  if (denied) return missing();
  if (error.code !== 'store-locked' && error.code !== 'store-missing') return error;
  const sockets = tried.map(({ path, trouble }) => `${path} (${trouble})`).join(', ');
  return new CommandError(error.exit, `${error.message}; no daemon answers at ${sockets}`, {
    code: error.code,
    cause: error,
    hint:
      error.hint ?? 'Start one with letterlock run, or name its state or socket: --state DIR, --socket PATH.',
  });
}
