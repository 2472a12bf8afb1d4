// What the daemon itself listens on, which no route can have: metrics, the page and the admin socket.

import { maxSocketPathBytes } from '../admin/socket-path.ts';
import type { Config, ConfigProblem } from '../config.ts';
import type { Ground } from './ground.ts';
import type { OtherListener } from './neighbours.ts';
import { problemAt } from './problem.ts';
import { parseListen } from './upstream.ts';

/** Of metrics only a port somebody asked for: a busy default one is a warning of the daemon. */
export function ownListeners({ raw }: Ground, config: Config): readonly OtherListener[] {
  const listen = raw.metrics?.listen;
  return [
    ...(listen === undefined
      ? []
      : [{ what: 'metrics', place: { kind: 'tcp' as const, ...parseListen(listen) } }]),
    ...(config.admin.listen === null
      ? []
      : [{ what: 'the page', place: { kind: 'tcp' as const, ...config.admin.listen } }]),
    { what: 'the admin socket', place: { kind: 'unix', ...config.admin.socket } },
  ];
}

export function socketProblems(ground: Ground, config: Config): readonly ConfigProblem[] {
  const { path } = config.admin.socket;
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxSocketPathBytes) return [];
  const message = `the path of the admin socket has ${bytes} bytes, ${maxSocketPathBytes} are possible: ${path}`;
  return [
    problemAt(
      ground.layers.locate(['admin', 'socket']),
      message,
      'give a shorter one: admin: {socket: {path: /run/…}}',
    ),
  ];
}
