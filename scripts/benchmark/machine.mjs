// Where it was measured, and with what.

import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';

const commands = {
  stunnel: ['stunnel4', '-version'],
  haproxy: ['haproxy', '-v'],
  nginx: ['nginx', '-v'],
  socat: ['socat', '-V'],
};

export function machineOf({ entrants, runtimes, pinned, precision }) {
  const nodes = runtimes.map(({ path }) => {
    const words = ['-p', '`Node ${process.versions.node} (OpenSSL ${process.versions.openssl})`'];
    return execFileSync(path, words, { encoding: 'utf8', env: {} }).trim();
  });
  const peers = entrants.filter(({ name }) => name in commands).map(({ name }) => versionOf(name));
  const cpu = cpus()[0]?.model ?? 'unknown processor';
  return { cpu, cores: cpus().length, kernel: release(), pinned, precision, programs: [...nodes, ...peers] };
}

function versionOf(name) {
  const [command, ...words] = commands[name];
  const { stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  const said = `${stdout}\n${stderr}`;
  const version = /(?:version[ /:]*(?:nginx\/)?|stunnel )(\d[\w.]*)/i.exec(said)?.[1] ?? '?';
  const openssl = /running with (OpenSSL [\w.]+)/i.exec(said)?.[1];
  return `${name} ${version}${openssl === undefined ? '' : ` (${openssl})`}`;
}
