// Opens a database in a process of its own, because some damage makes LevelDB end whatever process opens it, reads it or
// puts its tables together: src/store/probe.ts starts this and says what its end means. Plain JavaScript, so that it runs
// as a source as well. It must never outlive the process that started it, which holds the other end of its stdin.
// Usage: node probe-child.mjs try LOCATION | copy LOCATION TARGET | repair LOCATION TARGET

import { argv, exit, kill, pid, stdin, stdout } from 'node:process';

// What reaches a whole group of processes is meant for the one that started this; SIGUSR1 would open the debugger.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1']) process.on(name, () => undefined);
const over = () => kill(pid, 'SIGKILL');
stdin.on('error', over).on('end', over);
stdin.resume();

const [, , work, location, target] = argv;
const readAtOnce = 256;

const { Level } = await import('level').catch(() => exit(4));
// From here on an end without an answer is LevelDB's.
stdout.write('opening\n');

async function* piecesOf(database) {
  const iterator = database.iterator();
  try {
    for (
      let piece = await iterator.nextv(readAtOnce);
      piece.length > 0;
      piece = await iterator.nextv(readAtOnce)
    )
      yield piece;
  } finally {
    await iterator.close();
  }
}

/** All that others do to a database later: background work of LevelDB is as deadly as opening it. */
async function tried(database) {
  try {
    for await (const piece of piecesOf(database)) if (piece.length === 0) break;
  } catch {
    // What cannot be read is told by whoever opens it next.
  }
  await database.compactRange('', '\u{10ffff}');
}

/** As far as it can be read. */
async function copied(database) {
  const fresh = new Level(target, { errorIfExists: true });
  await fresh.open();
  try {
    for await (const piece of piecesOf(database))
      await fresh.batch(piece.map(([key, value]) => ({ type: 'put', key, value })));
  } catch {
    // What was read until then is what is kept.
  } finally {
    await fresh.close();
  }
}

/** null where LevelDB refuses, after its reason was told. */
async function opened() {
  const database = new Level(location, { createIfMissing: false });
  try {
    if (work === 'repair') await Level.repair(location);
    await database.open();
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    const { code = null, message } = error.cause ?? error;
    stdout.write(JSON.stringify({ code, message: String(message).slice(0, 1000) }));
    return null;
  }
}

const database = await opened();
if (database !== null) {
  await (work === 'try' ? tried(database) : copied(database));
  await database.close();
}
process.exitCode = database === null ? 3 : 0;
stdin.destroy();
