// Two processes that make the secret of one store: the disk answers the first that there is none, and only then comes
// the second, who makes it whole before the first goes on.

import * as disk from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { pathsIn } from '../../src/store/directory.ts';
import { diskIo } from '../../src/store/io.ts';
import { makeSecret } from '../../src/store/secret.ts';
import { temporaryDirectory } from './fixtures.ts';

vi.mock('node:fs/promises', { spy: true });

it('the secret that another process made meanwhile is not taken away', async () => {
  const paths = pathsIn(temporaryDirectory());
  const original = disk.readFile;
  let others: Uint8Array = new Uint8Array(0);
  vi.mocked(disk.readFile).mockImplementationOnce(async () => {
    others = await makeSecret(paths, diskIo);
    throw Object.assign(new Error('there was none'), { code: 'ENOENT' });
  });
  const own = await makeSecret(paths, diskIo);
  expect(others).toHaveLength(32);
  expect(Buffer.from(own)).toEqual(Buffer.from(others));
  expect(await original(join(paths.directory, 'secret'))).toEqual(Buffer.from(others));
});
