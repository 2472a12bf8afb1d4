// The thread of hold-apart.ts: opens the store, says so, and serves it until the process ends.

import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { openSharedStore } from '../sharing/shared-store.ts';

const pins = z
  .object({ state: z.string().nullable(), env: z.record(z.string(), z.string()) })
  .parse(workerData);
const store = await openSharedStore({ ...pins, now: Date.now });
if (store.role === 'holder') {
  // What is listened to keeps the thread; the process does not wait for it.
  parentPort?.on('message', () => undefined);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
  parentPort?.postMessage('held');
} else await store.close();
