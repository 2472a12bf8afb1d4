// The smallest client there is: connects, reads the first line, says nothing, leaves.

import { connect } from 'node:net';

/** The first line a local port greets with; empty when it closes without one. Rejects after `deadlineMs`. */
export function visit(port: number, deadlineMs = 20_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    const chunks: Buffer[] = [];
    const timer = setTimeout(
      () => socket.destroy(new Error(`no greeting on ${port} in ${deadlineMs} ms`)),
      deadlineMs,
    );
    const line = (): string => Buffer.concat(chunks).toString('latin1').split('\r\n', 1)[0] ?? '';
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunk.includes('\n')) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(line());
    });
  });
}
