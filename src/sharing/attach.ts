// One attempt to get at the pins: a daemon's socket, the socket beside the database, the database itself. It
// goes on to the next only where nobody was there; who is there and cannot be understood is not passed over,
// because his pins would be passed over with him.

import { asStoreError } from '../store/database.ts';
import { StoreError } from '../store/store-error.ts';
import { call } from './call.ts';
import { hold, type HoldOptions, type Holding } from './hold.ts';
import { unavailable, type LineTiming } from './line.ts';
import { ownSocket, fitnessOf, type Place } from './place.ts';
import { openRemoteStore, type RemoteStore } from './remote-store.ts';
import { protocol } from './line-of.ts';

/** The pins as this process has them now. */
export type Attached = Guesthood | Holding;

export interface Guesthood {
  readonly role: 'guest';
  readonly store: RemoteStore;
  readonly secret: Uint8Array;
  close(): Promise<void>;
}

/** What stood in the way; `final` when another attempt would meet the same. */
export interface Trouble {
  readonly error: StoreError;
  readonly again: 'soon' | 'never';
}

export type Attempt = { readonly attached: Attached } | { readonly trouble: Trouble };

export interface AttachOptions extends HoldOptions {
  readonly place: Place;
  readonly callMs: number;
  readonly timing: LineTiming;
  /** `leave`: somebody else is to have the database; ask for sockets only. */
  readonly database: 'open' | 'leave';
}

/** Never rejects. Whoever gets something attached closes it. */
export async function attach(options: AttachOptions): Promise<Attempt> {
  const { directory, daemons } = options.place;
  try {
    for (const path of [...daemons, await ownSocket(directory)]) {
      const attempt = await ask(path, options);
      if (attempt !== null) return attempt;
    }
    if (options.database === 'leave') return soon('the pin store is being handed to a daemon');
    return { attached: await hold(directory, options) };
  } catch (error) {
    const known = asStoreError(error, `the pin store in ${directory} cannot be opened`);
    if (known.code !== 'store-locked') return { trouble: { error: known, again: 'never' } };
    return { trouble: { error: await unshared(known, directory).catch(() => known), again: 'soon' } };
  }
}

/** Somebody holds the database and cannot be asked: most often an older letterlock, or a path that is too long. */
async function unshared(locked: StoreError, directory: string): Promise<StoreError> {
  const path = await ownSocket(directory);
  const fitness = await fitnessOf(path);
  const why = typeof fitness === 'object' ? fitness.doubt : 'nobody answers there';
  const { holder, hint } = locked;
  return new StoreError('store-locked', `${locked.message} and does not share it at ${path}: ${why}`, {
    holder,
    cause: locked,
    ...(hint === null ? {} : { hint }),
  });
}

/** null where nobody is, or nobody for us. */
async function ask(path: string, { callMs, timing }: AttachOptions): Promise<Attempt | null> {
  const fitness = await fitnessOf(path);
  if (fitness !== 'fit') return null;
  const called = await call(path, { deadlineMs: callMs });
  switch (called.state) {
    case 'nobody':
    case 'denied':
    case 'not-given':
      return null;
    case 'other-version':
      return { trouble: { error: otherVersion(path, called.speaks), again: 'never' } };
    case 'odd':
      return soon(`${path}: ${called.detail}`);
    case 'open':
      return greeted(await settled(openRemoteStore({ ...called, timing })), path);
  }
}

function greeted(outcome: RemoteStore | StoreError, path: string): Attempt {
  if (outcome instanceof StoreError) return soon(`${path}: ${outcome.message}`, outcome);
  return {
    attached: { role: 'guest', store: outcome, secret: outcome.secret, close: () => outcome.close() },
  };
}

async function settled<T>(work: Promise<T>): Promise<T | StoreError> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

const soon = (why: string, cause?: unknown): Attempt => ({
  trouble: {
    error: unavailable(why, cause),
    again: 'soon',
  },
});

const otherVersion = (path: string, speaks: string | null): StoreError =>
  new StoreError(
    'store-unavailable',
    `the letterlock at ${path} shares its pins as ${speaks ?? 'no version we know'}, this one as ${protocol}`,
    { hint: 'Run the same version of letterlock in both, or name another state directory.' },
  );
