// The built command, sent a SIGHUP in the moment in which its first port is bound, long before it is ready.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import { builtBin } from '../lab/build.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { cleanEnvironment, start } from '../lab/run.ts';
import { until } from '../lab/wait.ts';

const hanging = `
import { createRequire } from 'node:module';
const net = createRequire(import.meta.url)('node:net');
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  net.Server.prototype.listen = listen;
  process.kill(process.pid, 'SIGHUP');
  return listen.apply(this, args);
};
`;

let folder: Folder;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

it('reads its configuration again once it is ready, and does not end', async () => {
  const { path } = folder;
  await writeFile(join(path, 'hanging.mjs'), hanging);
  const routes = [{ listen: '127.0.0.1:0', upstream: 'imaps://imap.example.org' }];
  const admin = { socket: { path: join(path, 'admin') } };
  const config = { state: join(path, 'state'), metrics: null, admin, log: { format: 'json' }, routes };
  await writeFile(join(path, 'letterlock.yaml'), JSON.stringify(config));
  const words = ['--import', './hanging.mjs', await builtBin(), 'run', '-c', 'letterlock.yaml'];
  const running = await start([process.execPath, ...words], { cwd: path, env: cleanEnvironment(path) });
  try {
    await until('the configuration to be read again', () => {
      if (running.exit() !== null) throw new Error(`it ended with ${running.exit()}: ${running.output()}`);
      return /"event":"ready"[^]*"event":"reloaded"[^\n]*"ok":true/.test(running.output());
    });
  } finally {
    await running.stop();
  }
});
