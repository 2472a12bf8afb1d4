// Disks that are really full, or really read-only: the state directory lies on a small file system of its own, in a mount
// namespace that goes with its last process, so that nothing stays behind. It takes root.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeIdentity } from './certificates.mjs';
import { until } from './letterlock.mjs';
import { Post, unclear } from './post.mjs';

const kilobytes = 512;
/** A store that could not be read is looked at again every ten seconds at the latest. */
const recoveryMs = 12_000;

const skipped = (why) => ({
  figures: [['full disks', why]],
  findings: process.env.CI ? [`mounts: ${why}`] : [],
});

export const mounts = {
  name: 'mounts',
  async run({ build, seconds, folder, signal, say, chance }) {
    const total = { full: 0, readOnly: 0, refused: 0, findings: [] };
    if (process.getuid?.() !== 0) return skipped('not root');
    const end = performance.now() + seconds * 1000;
    for (let round = 0; !signal.aborted && total.findings.length === 0; round += 1) {
      if (round > 0 && performance.now() > end) break;
      const disk = await SmallDisk.make(join(folder, `mounts-${round}`));
      if (disk.missing !== null) return skipped(disk.missing);
      const { before, state } = disk;
      const own = join(folder, `mounts-${round}`, 'letterlock');
      const post = new Post({ build, shim: null, folder: own, before, state });
      try {
        await post.open();
        const found = [
          ...(await filledUp(post, { disk, chance, total })),
          ...(await locked(post, { disk, total })),
        ];
        total.findings.push(...found.map((text) => `mounts: ${text}`));
      } finally {
        await post.close();
        await disk.close();
      }
    }
    say(`${total.full} full disks, ${total.findings.length} findings`);
    const figures = [
      ['full disks', total.full],
      ['changes refused on them', total.refused],
      ['read-only starts', total.readOnly],
    ];
    return { figures, findings: total.findings };
  },
};

/** A file system in the memory of a process that does nothing but hold it. */
class SmallDisk {
  missing = null;
  #holder;
  #folder;

  constructor(folder) {
    this.#folder = folder;
    this.place = join(folder, 'disk');
    this.state = join(this.place, 'state');
  }

  static async make(folder) {
    const disk = new SmallDisk(folder);
    mkdirSync(disk.place, { recursive: true });
    const mount = `mount -t tmpfs -o size=${kilobytes}k,mode=700 tmpfs "${disk.place}" && echo held && exec sleep 3600`;
    const words = ['--mount', '--propagation', 'private', 'sh', '-c', mount];
    disk.#holder = spawn('unshare', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = Promise.race([once(disk.#holder.stdout, 'data'), once(disk.#holder.stderr, 'data')]);
    const [text] = await Promise.race([said, once(disk.#holder, 'error')]);
    if (String(text).trim() !== 'held')
      disk.missing = `no file system can be mounted: ${String(text).trim()}`;
    return disk;
  }

  /** Words before a command that is to see it. */
  get before() {
    return ['nsenter', '--mount', `--target=${this.#holder.pid}`];
  }

  /** Its files as we see them. */
  get inside() {
    return join(`/proc/${this.#holder.pid}/root`, this.place);
  }

  /** No byte of it is left free. */
  fill() {
    let bytes = kilobytes * 1024;
    for (let file = 0; bytes >= 512; file += 1)
      try {
        writeFileSync(join(this.inside, `filler-${file}`), Buffer.alloc(bytes));
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
        bytes = bytes >> 1;
      }
  }

  empty() {
    for (const name of readdirSync(this.inside))
      if (name.startsWith('filler-')) rmSync(join(this.inside, name));
  }

  async remount(how) {
    const [file, ...words] = [...this.before, 'mount', '-o', `remount,${how}`, this.place];
    const child = spawn(file, words, { stdio: 'ignore' });
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`the disk cannot be made ${how}`);
  }

  async close() {
    const ended = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    if (this.#holder.exitCode === null) await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function filledUp(post, { disk, chance, total }) {
  const { letterlock } = post;
  const fresh = post.freshRoutes(8);
  letterlock.start();
  if (!(await letterlock.ready())) return [`it does not start: ${letterlock.said}`];
  const [known, changed] = [fresh.pop(), fresh.pop()];
  const found = [];
  for (const name of [known, changed])
    if ((await post.visit(name)).came !== 'served') found.push(`${name} is not served on an empty disk`);
  post.impersonate(changed);
  disk.fill();
  total.full += 1;
  // Until it really is full: LevelDB and the seal may find a few bytes more.
  let refused = 0;
  for (let order = 0; order < 200 && refused < 3; order += 1) {
    const { status } = await post.add(known, makeIdentity().spki);
    if (status === 0) found.push('an order was not answered');
    if (status !== 200) refused += 1;
  }
  total.refused += refused;
  if (refused === 0) found.push('200 changes were stored on a full disk');
  const came = await Promise.all([post.visit(fresh.pop(), 5000), post.visit(changed, 5000)]);
  if (came[0].came === 'late') found.push('a first use on a full disk was not answered');
  if (came[1].came === 'served') found.push('an impostor was served on a full disk');
  // Killed with a full disk in half of the cases, and started on it.
  if (chance.next() < 0.5) found.push(...(await startedFull(post)));
  disk.empty();
  if (!letterlock.isRunning) letterlock.start();
  if (!(await letterlock.ready())) return [...found, `it does not start with room again: ${letterlock.said}`];
  const stored = async () => (await post.add(known, makeIdentity().spki)).status === 200;
  await until('a change to be stored again', stored, recoveryMs).catch((error) => found.push(error.message));
  if ((await post.visit(fresh.pop())).came !== 'served') found.push('a first use afterwards is refused');
  await letterlock.kill();
  letterlock.start();
  if (!(await letterlock.ready())) return [...found, `it does not start again: ${letterlock.said}`];
  return [...found, ...(await post.examined()), ...post.stolen()];
}

async function startedFull(post) {
  const { letterlock } = post;
  await letterlock.kill();
  letterlock.start();
  if (await letterlock.ready()) return [];
  const why = unclear(await letterlock.ended(), letterlock.said);
  return why === null ? [] : [`a start on a full disk: ${why}`];
}

/** Nobody can make a disk read-only that is written to, so it is one when it starts. */
async function locked(post, { disk, total }) {
  const { letterlock } = post;
  await letterlock.stop();
  const before = statSync(join(disk.inside, 'state/seal')).mtimeMs;
  await disk.remount('ro');
  letterlock.start();
  total.readOnly += 1;
  const found = [];
  if (await letterlock.ready()) {
    const { came } = await post.visit(post.names[0], 4000);
    if (came === 'late') found.push('on a read-only disk a client gets no answer');
    await letterlock.kill();
  } else {
    const why = unclear(await letterlock.ended(), letterlock.said);
    if (why !== null) found.push(`a start on a read-only disk: ${why}`);
  }
  await disk.remount('rw');
  if (statSync(join(disk.inside, 'state/seal')).mtimeMs !== before) found.push('the seal is another one');
  letterlock.start();
  if (!(await letterlock.ready())) return [...found, `afterwards it does not start: ${letterlock.said}`];
  return [...found, ...(await post.examined())];
}
