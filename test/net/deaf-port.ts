// A black hole on loopback.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

/** A port whose program never accepts and whose queue is full, so that a connection stays half-made. */
export async function deafPort(): Promise<{ port: number; close: () => void }> {
  const program = `
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [chunk]: unknown[] = await once(child.stdout, 'data');
  const port = Number(String(chunk));
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  const close = (): void => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
  };
  return { port, close };
}
