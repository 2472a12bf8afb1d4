// Whether somebody listens at a UNIX socket, found out by connecting; nothing is sent.

import { connect } from 'node:net';

export type Probe = 'answers' | 'refused' | 'absent' | 'denied' | 'failed';

const probeMs = 2000;

/** `refused` alone means that nobody listens there any more. Never rejects. */
export function probe(path: string): Promise<Probe> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (result: Probe): void => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(probeMs, () => done('failed'));
    socket.once('connect', () => done('answers'));
    socket.once('error', (error) => done(probeResult(error)));
  });
}

function probeResult(error: Error): Probe {
  const code = 'code' in error ? error.code : null;
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
  return code === 'EACCES' || code === 'EPERM' ? 'denied' : 'failed';
}
