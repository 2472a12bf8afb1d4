// The engine as a program runs it, with what hangs on it: hooks that hear, connections that are closed when their key
// loses its trust, and a clock that writes down what waits.

import type { PinStore } from '../store/pin-store.ts';
import { readBuild } from '../ops/build.ts';
import { Tofu as Engine } from '../tofu.ts';
import type { Announcer } from './hooks.ts';
import type { Live } from './live.ts';
import type { Settings } from './settings.ts';

export interface EngineParts {
  /** Whoever opened it closes it, after the engine. */
  readonly store: PinStore;
  readonly secret: Uint8Array;
  readonly now: () => number;
  readonly settings: Settings;
  readonly announcer: Announcer;
  readonly live: Live;
}

export interface RunningEngine {
  readonly engine: Engine;
  /** Writes down what waits. */
  close(): Promise<void>;
}

const sweepEveryMs = 60_000;

/** Keeps no process alive. @throws StoreError when the store cannot be read, RangeError for settings that cannot be */
export async function runEngine(parts: EngineParts): Promise<RunningEngine> {
  const { store, secret, now, announcer, live } = parts;
  const configured = parts.settings.configured();
  const engine = await Engine.open({
    store,
    secret,
    now,
    builtAt: readBuild().builtAt,
    settings: 'asked',
    on: (event) => {
      if (event.type === 'key-untrusted') live.revoke(event);
      announcer.engine(event);
    },
  });
  announcer.referTo((endpoint, spki) => engine.reference(endpoint, spki));
  engine.configure(configured);
  // What cannot be written waits for the next time; whether the store is well is told by its health.
  const sweeping = setInterval(() => void engine.sweep().catch(() => undefined), sweepEveryMs).unref();
  return {
    engine,
    close: async () => {
      clearInterval(sweeping);
      await engine.close();
    },
  };
}
