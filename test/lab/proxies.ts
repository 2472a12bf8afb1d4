// Proxies as people run them: microsocks for SOCKS 5, tinyproxy for HTTP CONNECT, on a free port of 127.0.0.1.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Via } from '../../src/proxy/route.ts';
import { temporaryFolder } from './folder.ts';
import { accepts, freePorts } from './port.ts';
import { start } from './run.ts';
import { until } from './wait.ts';

export interface LabProxy {
  readonly via: Via;
  /** What it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

export async function startMicrosocks(login: Via['login']): Promise<LabProxy> {
  const [port = 0] = await freePorts(host, 1);
  const users = login === null ? [] : ['-u', login.user, '-P', login.password];
  return running(['microsocks', '-i', host, '-p', String(port), ...users], {
    kind: 'socks5',
    host,
    port,
    login,
  });
}

export async function startTinyproxy(login: Via['login']): Promise<LabProxy> {
  const [port = 0] = await freePorts(host, 1);
  const folder = await temporaryFolder();
  const file = join(folder.path, 'tinyproxy.conf');
  const users = login === null ? [] : [`BasicAuth ${login.user} ${login.password}`];
  const lines = [
    `Port ${port}`,
    `Listen ${host}`,
    'Timeout 60',
    'LogLevel Connect',
    `Allow ${host}`,
    ...users,
    '',
  ];
  await writeFile(file, lines.join('\n'));
  const proxy = await running(['tinyproxy', '-d', '-c', file], { kind: 'http', host, port, login });
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await folder.remove();
  };
  return { ...proxy, stop };
}

const host = '127.0.0.1';

async function running(command: readonly string[], via: Via): Promise<LabProxy> {
  const program = await start(command, {});
  await until(command[0] ?? '', () => {
    if (program.exit() !== null) throw new Error(`${command[0]} ended: ${program.output()}`);
    return accepts(via.host, via.port);
  });
  return { via, output: () => program.output(), stop: () => program.stop() };
}
