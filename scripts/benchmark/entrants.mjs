// Who takes part: letterlock on each Node asked for, a second build of it where one is named, and the peers that
// are installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { letterlock } from './letterlock.mjs';
import { peers } from './peers.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const versions = { full: [20, 24], quick: [] };

/** `runtimes`: `{major, path}`, the first one that of this machine in quick mode. */
export function entrantsOf({ against, without, mode }, runtimes) {
  const dist = join(root, 'dist');
  const ours = runtimes.flatMap(({ major, path }) => {
    const base = { runtime: path, dist };
    const name = `letterlock (Node ${major})`;
    const other =
      against === null ? [] : [letterlock({ ...base, name: `other build (Node ${major})`, dist: against })];
    return [
      letterlock({ ...base, name }),
      ...other,
      ...(mode === 'full' ? variants(base, { name, major }) : []),
    ];
  });
  return [...ours, ...peers.filter((peer) => !without.includes(peer.name) && isInstalled(peer.program))];
}

/** Other ways to trust, and what the post-quantum share costs; measured with the sessions, which alone they change. */
function variants(base, { name, major }) {
  const settings = [{ trust: 'ca' }, { trust: 'tofu' }];
  const made = settings.map((setting) => ({ ...base, ...setting, name: `${name}, trust: ${setting.trust}` }));
  // Node 20 comes with an OpenSSL that knows no post-quantum group.
  if (major >= 22) made.push({ ...base, curve: 'only-x25519.mjs', name: `${name}, X25519 only` });
  return made.map((one) => ({ ...letterlock(one), sessionsOnly: true }));
}

function isInstalled(program) {
  return spawnSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' }).status === 0;
}

/** Those named, else that of this machine, in full mode Node 20 and 24. Downloads what is missing into `folder`. */
export function runtimesOf({ node, mode }, folder) {
  if (node.length > 0) return node.map((path) => ({ path, major: majorOf(path) }));
  const here = { path: process.execPath, major: majorOf(process.execPath) };
  if (mode === 'quick') return [here];
  return versions.full.map((major) =>
    major === here.major ? here : { major, path: download(major, folder) },
  );
}

function majorOf(path) {
  const shown = execFileSync(path, ['--version'], { encoding: 'utf8', env: {} });
  return Number(/^v(\d+)/.exec(shown)[1]);
}

function download(major, folder) {
  const name = `node-linux-${process.arch}`;
  const words = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${major}`];
  const prefix = join(folder, `node-${major}`);
  // With the environment of the caller: behind an intercepting proxy npm needs its trust settings.
  execFileSync('npm', ['install', '--prefix', prefix, ...words], { stdio: ['ignore', 'ignore', 'inherit'] });
  return join(prefix, 'node_modules', name, 'bin/node');
}
