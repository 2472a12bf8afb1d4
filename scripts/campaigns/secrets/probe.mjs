// Loaded into the letterlock under test with `--import`, where it waits for SIGUSR2 and does what the file `order` in its
// folder says: a heap snapshot after everything unreachable is gone, or an error that quotes what a client sent, thrown
// or rejected. It changes nothing else, and holds nothing of any session.

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';

const folder = process.env.PROBE_FOLDER;
delete process.env.PROBE_FOLDER;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const orders = {
  snapshot: () => {
    collect();
    collect();
    renameSync(writeHeapSnapshot(join(folder, 'draft.heapsnapshot')), join(folder, 'whole.heapsnapshot'));
  },
  throw: (text) => {
    throw Object.assign(new RangeError(text), { code: 'ERR_TEST', cause: new Error(text) });
  },
  reject: (text) => void Promise.reject(new TypeError(text)),
};

process.on('SIGUSR2', () => {
  const { order, text } = JSON.parse(readFileSync(join(folder, 'order'), 'utf8'));
  orders[order](text);
});
