// Damage that makes LevelDB end the process that opens the database: another process finds it out, and it is damage like any
// other. An end that says nothing about the files is never called damage.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathsIn } from '../../src/store/directory.ts';
import { isAsClosed } from '../../src/store/last-close.ts';
import { openLevelStore } from '../../src/store/level.ts';
import { probeDatabase } from '../../src/store/probe.ts';
import { repairStore } from '../../src/store/repair.ts';
import { verifyStore } from '../../src/store/verify.ts';
import { builtBin } from '../lab/build.ts';
import { cleanEnvironment, run } from '../lab/run.ts';
import {
  auditOf,
  changeOf,
  committed,
  endpoint,
  loaded,
  noon,
  opened,
  other,
  recordOf,
  spkiOf,
  temporaryDirectory,
  withDatabase,
  withStore,
} from './fixtures.ts';

const bad = spkiOf('bad');
const script = join(import.meta.dirname, '../../src/store/probe-child.mjs');

/** Two records in a table, the second of which rejects a key, and a third in the log. */
async function madeStore(): Promise<string> {
  const directory = temporaryDirectory();
  const strict = recordOf(other, { rejected: [{ spki: bad, at: noon }] });
  await withStore(directory, async (store) => {
    await committed(store, [changeOf(endpoint, 0)]);
    await committed(store, [
      changeOf(other, 0, { record: strict, audit: [auditOf(other, { event: 'rejected' })] }),
    ]);
  });
  await withStore(directory, (store) => committed(store, [changeOf('pop.example.com:995', 0)]));
  return directory;
}

const filesOf = (directory: string, ending: string): readonly string[] =>
  readdirSync(join(directory, 'pins'))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => join(directory, 'pins', name));

function doubleLog(directory: string): void {
  const log = filesOf(directory, '.log').find((path) => statSync(path).size > 0) ?? '';
  appendFileSync(log, readFileSync(log));
}

/** The first key of a table no longer sorts before the next: nobody sees it until LevelDB puts tables together. */
function unsortTable(directory: string): void {
  const table = filesOf(directory, '.ldb').find((path) => readFileSync(path).includes('announced')) ?? '';
  const bytes = readFileSync(table);
  bytes.write('z', bytes.indexOf('announced'), 'latin1');
  writeFileSync(table, bytes);
}

const deadly = [
  ['a log that is there twice', doubleLog, /skiplist.h:\d+: Assertion/],
  ['a table that is out of order', unsortTable, /table_builder.cc:\d+: Assertion/],
] as const;

const repaired = (directory: string, mode: 'show' | 'apply' | 'start-over') =>
  repairStore({ directory, mode, endpoints: [endpoint, other], now: noon });

describe.each(deadly)('%s', (_, hurt, words) => {
  it('is damage, and says what LevelDB said', async () => {
    const directory = await madeStore();
    hurt(directory);
    const store = await opened(directory);
    expect(store.health()).toMatchObject({ state: 'damaged', records: 0 });
    expect(store.health().detail).toMatch(
      /does not open: LevelDB ends every process that opens it \(SIGABRT: /,
    );
    expect(store.health().detail).toMatch(words);
    await expect(store.commit([changeOf('new.example:993', 0)])).rejects.toMatchObject({
      code: 'store-damaged',
    });
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('is told by a verification, and is still there after it', async () => {
    const directory = await madeStore();
    hurt(directory);
    for (const state of ['damaged', 'damaged'])
      expect(await verifyStore(directory)).toMatchObject({ state, findings: [expect.stringMatching(words)] });
  });

  it('is repaired out of what can be read, with nothing first-used unasked', async () => {
    const directory = await madeStore();
    hurt(directory);
    expect(await repaired(directory, 'show')).toMatchObject({ outcome: 'shown', fitting: 'apply' });
    const { outcome, mended, aside } = await repaired(directory, 'apply');
    expect([outcome, mended?.kept]).toEqual(['done', expect.arrayContaining([endpoint])]);
    expect(readdirSync(join(aside ?? '', 'pins')).length).toBeGreaterThan(3);
    expect(readdirSync(directory).filter((name) => name.startsWith('salvage'))).toEqual([]);
    const store = await opened(directory);
    expect([store.health().state, (await store.verify()).findings]).toEqual(['good', []]);
    expect((await loaded(store)).get(endpoint)?.record?.pins).toHaveLength(1);
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('can be started over: rejections stay, and every endpoint waits', async () => {
    const directory = await madeStore();
    hurt(directory);
    expect((await repaired(directory, 'start-over')).outcome).toBe('done');
    const store = await opened(directory);
    expect(store.health().state).toBe('good');
    expect([...store.held()].toSorted()).toEqual([endpoint, other, 'pop.example.com:995'].toSorted());
    expect(store.sealed(other).rejected).toEqual(new Set([bad]));
  });

  it('is told by the commands as they are built, which end in good order', async () => {
    const directory = await madeStore();
    hurt(directory);
    const bin = await builtBin();
    const command = (...args: string[]) =>
      run([process.execPath, bin, 'pins', ...args, '--state', directory], {
        env: cleanEnvironment(directory),
      });
    const verified = await command('verify');
    expect(verified.exit).toBe(6);
    expect(verified.shown).toMatch(words);
    expect((await command('repair')).shown).toContain('letterlock pins repair --apply');
    expect((await command('repair', '--start-over')).exit).toBe(0);
    expect((await command('verify')).exit).toBe(0);
  });
});

describe('the files of a database', () => {
  it('are as they were closed after a close in good order, a verification and a repair', async () => {
    const directory = await madeStore();
    const paths = pathsIn(directory);
    expect(await isAsClosed(paths)).toBe(true);
    await verifyStore(directory);
    expect(await isAsClosed(paths)).toBe(true);
    await repaired(directory, 'start-over');
    expect(await isAsClosed(paths)).toBe(true);
  });

  it('are opened once where they are as they were closed, else twice', async () => {
    const directory = await madeStore();
    const log = join(directory, 'pins/LOG');
    const old = () => statSync(join(directory, 'pins/LOG.old')).ino;
    const before = statSync(log).ino;
    await withStore(directory, async () => undefined);
    expect(old()).toBe(before);
    const between = statSync(log).ino;
    rmSync(join(directory, 'last-close'));
    await withStore(directory, async () => undefined);
    expect(old()).not.toBe(between);
  });

  it.each<readonly [string, (directory: string) => unknown]>([
    ['a file is longer', (directory) => appendFileSync(join(directory, 'pins/CURRENT'), '\n')],
    ['a file is younger', (directory) => utimesSync(join(directory, 'pins/CURRENT'), 1, 1)],
    ['a file is gone', (directory) => rmSync(join(directory, 'pins/LOG.old'))],
    ['there is one more', (directory) => writeFileSync(join(directory, 'pins/000001.log'), '')],
    ['another program opened it', (directory) => withDatabase(directory, async () => undefined)],
    ['nothing is known', (directory) => rmSync(join(directory, 'last-close'))],
  ])('are not as they were closed when %s', async (_, change) => {
    const directory = await madeStore();
    await withStore(directory, async () => undefined);
    await change(directory);
    expect(await isAsClosed(pathsIn(directory))).toBe(false);
  });

  it('are not as they were closed while a store has them', async () => {
    const directory = await madeStore();
    await opened(directory);
    expect(await isAsClosed(pathsIn(directory))).toBe(false);
  });
});

/** A database of ours, which is open nowhere. */
async function database(): Promise<string> {
  return join(await madeStore(), 'pins');
}

const work = { kind: 'try' } as const;

/** Another program in the place of the one that opens the database. */
function instead(text: string): string {
  const path = join(temporaryDirectory(), 'instead.mjs');
  writeFileSync(path, text);
  return path;
}

describe('a database that another process opens first', () => {
  it('survives when nothing is wrong', async () => {
    expect(await probeDatabase(await database(), { work })).toEqual({ state: 'survived' });
  });

  it('is locked while this process has it', async () => {
    const directory = await madeStore();
    await withDatabase(directory, async () => {
      expect(await probeDatabase(join(directory, 'pins'), { work })).toMatchObject({
        state: 'refused',
        isLocked: true,
      });
      await expect(openLevelStore({ directory, create: true, now: () => noon })).rejects.toMatchObject({
        code: 'store-locked',
      });
    });
  });

  it.each([
    ['that ends by itself', 'process.exit(1)', 'exit 1'],
    [
      'that is killed',
      'process.stdout.write("opening\\n", () => process.kill(process.pid, "SIGKILL"))',
      'SIGKILL',
    ],
    [
      'that has no memory left',
      'console.error("terminate called after throwing std::bad_alloc"); console.log("opening"); setImmediate(() => process.abort())',
      'SIGABRT',
    ],
    ['that ends before LevelDB', 'process.kill(process.pid, "SIGSEGV")', 'SIGSEGV'],
    ['that is late', 'setInterval(() => undefined, 1000)', 'not done within 1 s'],
  ])('is not called damaged because of a process %s', async (_, text, detail) => {
    const probed = await probeDatabase(await database(), { work, script: instead(text), deadlineMs: 1000 });
    expect(probed).toMatchObject({ state: 'untold', detail: expect.stringContaining(detail) });
  });

  it('is not called damaged where no process can be started', async () => {
    const missing = join(temporaryDirectory(), 'gone', 'pins');
    expect(await probeDatabase(missing, { work })).toMatchObject({
      state: 'untold',
      detail: expect.stringContaining('ENOENT'),
    });
  });

  it('is opened unasked where there is nothing to start', async () => {
    const nowhere = join(temporaryDirectory(), 'none.mjs');
    expect(await probeDatabase(await database(), { work, script: nowhere })).toEqual({ state: 'unsaid' });
  });

  it.runIf(process.platform === 'linux')('is given to a process that has nothing of this one', async () => {
    const location = await database();
    const seen = join(temporaryDirectory(), 'seen');
    const text = `import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
const fds = readdirSync('/proc/self/fd').map((fd) => { try { return fd + ' ' + readlinkSync('/proc/self/fd/' + fd); } catch { return fd; } });
writeFileSync(${JSON.stringify(seen)}, JSON.stringify({ fds, env: Object.keys(process.env) }));`;
    const own = createServer().listen(0, '127.0.0.1');
    await once(own, 'listening');
    const file = await open(join(dirname(location), 'secret'));
    process.env['LETTERLOCK_CANARY'] = 'secret';
    try {
      await probeDatabase(location, { work, script: instead(text) });
    } finally {
      delete process.env['LETTERLOCK_CANARY'];
      own.close();
      await file.close();
    }
    const { fds, env }: { fds: string[]; env: string[] } = JSON.parse(readFileSync(seen, 'utf8'));
    const passed = ['ELECTRON_RUN_AS_NODE', 'LETTERLOCK_PROBE', 'LD_LIBRARY_PATH'];
    expect(env.filter((name) => !passed.includes(name))).toEqual([]);
    expect(fds.filter((one) => /socket:/.test(one) && !/^[012] /.test(one))).toEqual([]);
    expect(fds.filter((one) => /letterlock-store/.test(one))).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is let go when the process that asked is gone', async () => {
    const location = join(temporaryDirectory(), 'pins');
    mkdirSync(location);
    // LevelDB waits here for somebody who writes.
    execFileSync('mkfifo', [join(location, 'CURRENT')]);
    const child = spawn(process.execPath, [script, 'try', location], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    child.kill('SIGINT');
    child.stdin.destroy();
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  it('is looked at after its holder was killed, and is good', async () => {
    const directory = await madeStore();
    const copy = join(temporaryDirectory(), 'state');
    await withStore(directory, async (store) => {
      await committed(store, [changeOf('late.example:993', 0)]);
      cpSync(directory, copy, { recursive: true });
    });
    expect(await isAsClosed(pathsIn(copy))).toBe(false);
    const store = await opened(copy);
    expect(store.health()).toMatchObject({ state: 'good', records: 4 });
  });
});
