// `letterlock status --watch`: rates, what needs a person first, a daemon that goes and comes, and a real terminal.

import { spawn } from 'node:child_process';
import { text as everything } from 'node:stream/consumers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { selfSigned, type Identity } from '../net/peers.ts';
import { routeTo, World } from '../daemon/world.ts';
import { builtBin } from '../lab/build.ts';
import type { Io } from '../../cmd/io.ts';
import { overviewLines, spanOf } from '../../cmd/overview-lines.ts';
import { Observer } from '../../cmd/overview.ts';
import { Screen } from '../../cmd/screen.ts';
import { watch } from '../../cmd/watch.ts';
import { remoteOperator } from '../../src/admin/client.ts';
import type { Daemon } from '../../src/daemon.ts';

let own: Identity;
let impostor: Identity;
let bin: string;
let world: World;
beforeAll(async () => {
  [own, impostor] = [await selfSigned(), await selfSigned()];
  bin = await builtBin();
});
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** One route that was refused, with a session open from before. */
async function refusing(): Promise<{ readonly daemon: Daemon; readonly endpoint: string }> {
  const server = await world.server(own);
  const daemon = await world.start(world.config([routeTo(server, {})]));
  const client = world.client(daemon);
  await client.hear('* OK ready');
  server.identity = impostor;
  await world.client(daemon).over();
  await world.event('session-ended');
  return { daemon, endpoint: `127.0.0.1:${server.port}` };
}

describe('an overview', () => {
  test('counts what was carried between two looks, also by sessions that ended meanwhile', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    let now = Date.now();
    const observer = new Observer(remoteOperator(daemon.adminSocket), () => now);
    try {
      const stays = world.client(daemon);
      await stays.hear('* OK ready');
      expect((await observer.look()).rates).toMatchObject([{ upPerSecond: 0, downPerSecond: 0 }]);
      await stays.say('a1 NOOP\r\n').hear('a1 NOOP');
      const goes = world.client(daemon);
      await goes.hear('* OK ready');
      await goes.say('b1 NOOP\r\n').hear('b1 NOOP');
      goes.socket.end();
      const { session } = await world.event('session-ended');
      while (!(await observed(observer, session))) now += 1;
      now += 1_000;
      await stays.say('a2 NOOP\r\n').hear('a2 NOOP');
      const { rates, sessions, events } = await observer.look();
      expect(sessions).toHaveLength(1);
      expect(rates).toMatchObject([
        { route: 'imap-test', upPerSecond: 9, downPerSecond: 9, newPerMinute: 2 },
      ]);
      expect(events.map(({ event }) => event)).toContain('pin-changed');
    } finally {
      observer.close();
    }
  });

  test('counts nothing of a session that ended before the first look', async () => {
    const server = await world.server(own);
    const daemon = await world.start(world.config([routeTo(server, {})]));
    const gone = world.client(daemon);
    await gone.hear('* OK ready');
    await gone.say('a1 NOOP\r\n').hear('a1 NOOP');
    gone.socket.end();
    const { session } = await world.event('session-ended');
    let now = Date.now();
    const observer = new Observer(remoteOperator(daemon.adminSocket), () => now);
    const moved: number[] = [];
    try {
      for (let seen = false; !seen; now += 1) {
        const { rates, events } = await observer.look();
        moved.push(...rates.map(({ upPerSecond, downPerSecond }) => upPerSecond + downPerSecond));
        seen = events.some(({ fields }) => fields['session'] === session);
      }
      const { rates } = await observer.look();
      expect(rates).toMatchObject([{ upPerSecond: 0, downPerSecond: 0, newPerMinute: 1 }]);
      expect(moved.filter((bytes) => bytes !== 0)).toEqual([]);
    } finally {
      observer.close();
    }
  });

  test('says first what waits for a person', async () => {
    const { daemon, endpoint } = await refusing();
    const observer = new Observer(remoteOperator(daemon.adminSocket), Date.now);
    const lines = overviewLines(await observer.look());
    observer.close();
    expect(lines[2]).toBe(`REFUSED  ${endpoint}: pin-mismatch  (letterlock explain ${endpoint})`);
    expect(lines[3]).toBe(`WAITING  1 key waits for a decision  (letterlock pins compare ${endpoint})`);
    expect(lines.join('\n')).toMatch(
      /ENDPOINT +TRUST +WAITING +LAST VERDICT +CERTIFICATE\n\S+ +pinned +1 +REFUSED pin-mismatch/,
    );
  });

  test.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [3 * 3_600_000 + 12 * 60_000 + 5_000, '3 h 12 min'],
    [2 * 86_400_000, '2 d'],
  ])('%s ms are %s', (ms, text) => {
    expect(spanOf(ms)).toBe(text);
  });
});

/** Whether the end of this session has come over the stream of events. */
async function observed(observer: Observer, session: string): Promise<boolean> {
  const { events } = await observer.look();
  return events.some(({ event, fields }) => event === 'session-ended' && fields['session'] === session);
}

class Watching {
  text = '';
  readonly #stop = new AbortController();
  readonly over: Promise<void>;

  constructor(socket: string, json: boolean) {
    const print = (...lines: readonly string[]): void => {
      this.text += lines.map((line) => `${line}\n`).join('');
    };
    const io: Io = {
      env: {},
      execArgv: [],
      cwd: '/',
      words: [],
      program: 'letterlock',
      stdin: (async function* () {})(),
      now: Date.now,
      print,
      printFile: print,
      printJson: () => undefined,
      note: () => undefined,
    };
    this.over = watch(remoteOperator(socket), { io, everyMs: 20, json, signal: this.#stop.signal });
  }

  async shows(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!pattern.test(this.text)) {
      if (performance.now() > deadline) throw new Error(`never shown: ${pattern}\n${this.text.slice(-2000)}`);
      await new Promise(setImmediate);
    }
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.over;
  }
}

describe('watching without a terminal', () => {
  test('prints block after block, says when the daemon goes, and goes on with the next one', async () => {
    const server = await world.server(own);
    const config = world.config([routeTo(server, {})]);
    const first = await world.start(config);
    const watching = new Watching(first.adminSocket, false);
    await watching.shows(/Nothing waits for you\.[\s\S]*Nothing waits for you\./);
    await first.close(0);
    await watching.shows(/NO ANSWER: no daemon answers/);
    await world.start(config);
    await watching.shows(/NEW: the daemon was started anew/);
    await watching.end();
    expect(watching.text).not.toContain('\u001b');
  });

  test('with --json prints one object a line, each event once', async () => {
    const { daemon } = await refusing();
    const watching = new Watching(daemon.adminSocket, true);
    await watching.shows(/(?:.*\n){4}/);
    await world.client(daemon).over();
    await watching.shows(/"event":"session-ended"(?:.*\n){3}/);
    await watching.end();
    const rows = watching.text
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    expect(rows.at(-1)).toMatchObject({
      status: { routes: [{ name: 'imap-test' }] },
      endpoints: [{ refusing: true }],
    });
    const ids = [...watching.text.matchAll(/"id":(\d{6,})/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('ends with an error when there is no daemon at the beginning', async () => {
    await expect(new Watching(`${world.folder}/nobody.sock`, false).over).rejects.toMatchObject({
      exit: 'no-daemon',
    });
  });
});

const drawn = (columns: number, rows: number, ...frames: readonly (readonly string[])[]): string => {
  let text = '';
  const screen = new Screen({ columns: () => columns, rows: () => rows, write: (part) => (text += part) });
  for (const frame of frames) screen.draw(frame);
  screen.close();
  screen.close();
  return text;
};

describe('a screen', () => {
  test('draws each frame over the last, and gives the cursor back once', () => {
    expect(drawn(80, 24, ['one', 'two'], ['three'])).toBe(
      '\u001b[?25l\rone\u001b[K\ntwo\u001b[K\n\u001b[J\r\u001b[2Athree\u001b[K\n\u001b[J\u001b[?25h',
    );
  });

  test('is never wider or higher than the terminal, and no text moves it', () => {
    const text = drawn(
      20,
      4,
      Array.from({ length: 50 }, () => `\u001b[2J${'x'.repeat(200)}`),
    );
    const lines = text.split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe(`\\x1b[2J${'x'.repeat(11)}…\u001b[K`);
  });
});

/** Runs in a pseudo terminal of that size, says Ctrl-C once it saw `mark`; prints what came, and how it ended. */
const inTerminal = `
import fcntl, json, os, pty, struct, sys, termios, time
argv, columns, mark = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
pid, master = pty.fork()
if pid == 0:
    time.sleep(0.1)
    os.execve(argv[0], argv, dict(os.environ, TERM='xterm', NO_COLOR='1'))
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
seen, asked, deadline = b'', False, time.time() + 15
while time.time() < deadline:
    try:
        part = os.read(master, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
    if not asked and seen.count(mark.encode()) >= 2:
        asked = True
        os.write(master, b'\\x03')
_, status = os.waitpid(pid, 0)
print(json.dumps({'text': seen.decode(), 'exit': os.waitstatus_to_exitcode(status)}))
`;

const escape = '\u001b';
const movesUp = new RegExp(`${escape}\\[\\d+A`);
/** What a screen may write of sequences: the cursor hidden, shown and moved up, and what is behind it cleared. */
const ours = new RegExp(`${escape}\\[(?:\\?25[lh]|\\d+A|K|J)`, 'g');

describe('watching on a real terminal', () => {
  test.each([100, 34])(
    'of %s columns is drawn in place, and Ctrl-C gives the cursor back',
    async (columns) => {
      const { daemon } = await refusing();
      const argv = [process.execPath, bin, 'status', '--watch', '0.2', '--socket', daemon.adminSocket];
      const child = spawn(
        'python3',
        ['-c', inTerminal, JSON.stringify(argv), String(columns), 'REFUSED  127'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
          env: { PATH: process.env['PATH'], HOME: world.folder },
        },
      );
      const { text, exit } = JSON.parse(await everything(child.stdout));
      expect(exit).toBe(0);
      expect(text.startsWith('\u001b[?25l')).toBe(true);
      expect(text.endsWith('\u001b[?25h')).toBe(true);
      expect(text).toMatch(movesUp);
      // No colours, and nothing that clears the terminal or changes to another screen.
      expect(text.replaceAll(ours, '')).not.toContain('\u001b');
      const lines = text.replaceAll(ours, '').split(/\r?\n/);
      expect(Math.max(...lines.map((line: string) => line.replaceAll(/\r|\^C/g, '').length))).toBeLessThan(
        columns,
      );
    },
  );
});
