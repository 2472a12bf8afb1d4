// Shared stores of this process, closed after the test.

import { onTestFinished } from 'vitest';
import {
  openSharedStore,
  type SharedStore,
  type SharedStoreOptions,
} from '../../src/sharing/shared-store.ts';
import { noon } from '../store/fixtures.ts';

export async function shared(state: string, options: Partial<SharedStoreOptions> = {}): Promise<SharedStore> {
  const store = await openSharedStore({ state, now: () => noon, env: {}, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** For tests in which a holder fails: whoever waits for it does not wait long. */
export const hasty = { timing: { patienceMs: 300, callMs: 300, silenceMs: 1000, answerMs: 1000 } };
