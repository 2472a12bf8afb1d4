// Whoever may stand at the socket in place of a holder. None of them is believed, none is passed over in favour of
// the database behind him, and none keeps anybody waiting for long.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFront } from '../../src/sharing/front.ts';
import { lineOf, protocol } from '../../src/sharing/line-of.ts';
import { type Ask, type Tell } from '../../src/sharing/words.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { Fault } from '../../src/trust/fault.ts';
import type { KeyEvidence } from '../../src/trust/record.ts';
import {
  changeOf,
  committed,
  endpoint,
  noon,
  pinOf,
  recordOf,
  temporaryDirectory,
} from '../store/fixtures.ts';
import { hasty, shared } from './world.ts';

const accepted = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;
const health = { state: 'good', detail: null, generation: 1, records: 1 } as const;
const hello = lineOf('holder', {
  tell: 'hello',
  secret: randomBytes(32).toString('base64'),
  health,
  held: [],
});
const row = {
  endpoint,
  revision: 1,
  record: recordOf(endpoint),
  verified: true,
  sealed: { rejected: [], until: [] },
};
const done = (id: number): string => lineOf('holder', { tell: 'done', id, health, held: [] });

// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const rowsOf = (id: number, shown: unknown): Tell => ({ tell: 'rows', id, rows: [shown] }) as Tell;

/** What it says to each thing it hears. */
type Speech = (heard: string) => string;

/** As a holder with one row would, checksums and all, whatever stands in the row. */
const speaking =
  (shown: unknown = row): Speech =>
  (heard) => {
    if (heard.startsWith('GET')) return `${accepted}${hello}`;
    const ids = [...heard.matchAll(/"id":(\d+)/g)].map((found) => Number(found[1]));
    return ids.map((id) => `${lineOf('holder', rowsOf(id, shown))}${done(id)}`).join('');
  };

const opening =
  (first: string, then: Speech = () => ''): Speech =>
  (heard) =>
    heard.startsWith('GET') ? first : then(heard);

async function impostor(directory: string, speech: Speech): Promise<Server> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (heard: Buffer) => void socket.write(speech(heard.toString('utf8'))));
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'pins.sock'), resolve));
  onTestFinished(() => void server.close());
  return server;
}

/** As a record keeps it of a certificate with this fault. */
const seenWith = (fault: string): KeyEvidence => ({
  seenAt: noon,
  caValid: false,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- also such as no version knows
  faults: [fault as Fault],
  chainsToAnchor: false,
  sha256: '',
  subject: '',
  issuer: '',
  names: [],
  notBefore: 0,
  notAfter: noon,
  pem: '',
});

describe('an impostor at the socket beside the pins', () => {
  it.each([
    ['that is plain', recordOf(endpoint)],
    [
      'with every mark',
      recordOf(endpoint, { byDane: true, pins: [{ ...pinOf('server'), evidence: seenWith('expired') }] }),
    ],
  ])(
    'would be believed with a record %s: what follows is refused for what it says alone',
    async (_, record) => {
      const directory = temporaryDirectory();
      await impostor(directory, speaking({ ...row, record }));
      const guest = await shared(directory, hasty);
      expect([guest.role, guest.health().state]).toEqual(['guest', 'good']);
    },
  );

  it.each<readonly [string, Speech, RegExp]>([
    ['says nothing', opening(''), /no answer in 0.3 s/],
    ['speaks no HTTP', opening('SSH-2.0-OpenSSH_9.9\r\n'), /pins.sock: /],
    ['answers as a web server', opening('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), /HTTP status 200/],
    ['comes to nothing after the upgrade', opening(accepted), /fallen silent/],
    ['never answers', opening(`${accepted}${hello}`), /did not answer in 1 s|fallen silent/],
    ['says something else then', opening(`${accepted}220 mail.example.org ESMTP\r\n`), /does not verify/],
    ['changed one letter', (heard) => speaking()(heard).replace('true', 'TRUE'), /does not verify/],
    ['changed a key', (heard) => speaking()(heard).replace('first-use', 'first-usf'), /does not verify/],
    ['repeats what it is asked', opening(`${accepted}${hello}`, (heard) => heard), /does not verify/],
    ['answers what nobody asked', (heard) => `${speaking()(heard)}${done(9)}`, /nobody asked/],
    ['greets twice', opening(`${accepted}${hello}${hello}`), /began anew/],
    ['ends no line', opening(`${accepted}${'x'.repeat(17 * 1024 * 1024)}`), /could not be read/],
    ['shows a record without pins', speaking({ ...row, record: { endpoint } }), /not verify/],
    [
      'shows a strange basis',
      speaking({ ...row, record: { ...recordOf(endpoint), basis: 'all' } }),
      /not verify/,
    ],
    [
      'shows a fault nobody knows',
      speaking({
        ...row,
        record: recordOf(endpoint, { pins: [{ ...pinOf('server'), evidence: seenWith('cursed') }] }),
      }),
      /not verify/,
    ],
    [
      'shows a mark that is none',
      speaking({ ...row, record: { ...recordOf(endpoint), byDane: 'perhaps' } }),
      /not verify/,
    ],
    ['shows a revision that is none', speaking({ ...row, revision: -1 }), /not verify/],
    ['has no seal', speaking({ ...row, sealed: null }), /not verify/],
  ])('that %s', async (_, speech, message) => {
    const directory = temporaryDirectory();
    await impostor(directory, speech);
    const asked = shared(directory, hasty);
    await expect(asked).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(asked).rejects.toThrow(message);
    expect(existsSync(join(directory, 'pins'))).toBe(false);
  });

  it('that ends no line is read no further than a line can be long', async () => {
    const directory = temporaryDirectory();
    await impostor(directory, opening(`${accepted}${hello}${'x'.repeat(17 * 1024 * 1024)}`));
    // All of that has to come before anybody may call it silence.
    const patient = { ...hasty.timing, silenceMs: 15_000, answerMs: 15_000 };
    await expect(shared(directory, { timing: patient })).rejects.toThrow(/could not be read/);
  });

  it('that speaks another version is named at once, with both versions', async () => {
    const directory = temporaryDirectory();
    await impostor(
      directory,
      opening('HTTP/1.1 426 Upgrade Required\r\nUpgrade: letterlock-store/2\r\nContent-Length: 0\r\n\r\n'),
    );
    const asked = shared(directory, { timing: { ...hasty.timing, patienceMs: 60_000 } });
    await expect(asked).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(asked).rejects.toThrow(/as letterlock-store\/2, this one as letterlock-store\/1/);
  });

  it('that turns bad later ends the trust in it: unavailable at once', async () => {
    const directory = temporaryDirectory();
    const sockets: Socket[] = [];
    const server = await impostor(directory, speaking());
    server.on('connection', (socket: Socket) => sockets.push(socket));
    const guest = await shared(directory, { timing: { ...hasty.timing, silenceMs: 60_000 } });
    expect(guest.health().state).toBe('good');
    server.close();
    sockets[0]?.write('{"tell":"beat"}\n');
    await vi.waitFor(() => expect(guest.health().state).toBe('unavailable'));
  });
});

describe('what stands in the place of the socket and is none', () => {
  it.each([
    ['a file', (path: string) => writeFileSync(path, 'not a socket')],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a link to a socket elsewhere', (path: string) => symlinkSync('/run/other.sock', path)],
  ])('%s is not followed and not removed: the database is held without siblings', async (_, put) => {
    const directory = temporaryDirectory();
    put(join(directory, 'pins.sock'));
    const store = await shared(directory, hasty);
    expect(store.role).toBe('holder');
    await committed(store, [changeOf(endpoint, 0)]);
    const second = shared(directory, hasty);
    await expect(second).rejects.toMatchObject({ code: 'store-unavailable' });
    await expect(second).rejects.toThrow(
      /does not share it at .*pins.sock: it is (?:not a socket|a symbolic link)/,
    );
  });

  it('a path longer than a socket can have is said to whoever wants to share', async () => {
    const directory = join(temporaryDirectory(), 'x'.repeat(100));
    expect((await shared(directory, hasty)).role).toBe('holder');
    await expect(shared(directory, hasty)).rejects.toThrow(/its path is longer than 103 bytes/);
  });
});

async function front(): Promise<string> {
  const path = join(temporaryDirectory(), 'pins.sock');
  const store = openMemoryStore();
  const sharing = { store, secret: randomBytes(32), committed: () => undefined, giveWay: null };
  const served = await openFront(path, sharing, { refs: 'unref' });
  onTestFinished(() => served.close());
  return path;
}

describe('a guest that does not keep to what guests say', () => {
  const headers = `Host: letterlock\r\nConnection: Upgrade\r\n`;
  const upgrade = `GET /v1/store HTTP/1.1\r\n${headers}Upgrade: ${protocol}\r\n\r\n`;

  it('is served if it does: what follows is refused for what it says alone', async () => {
    const load: Ask = { ask: 'load', id: 0 };
    expect(await said(await front(), `${upgrade}${lineOf('guest', load)}`, '"done"')).toContain('"done"');
  });

  it.each([
    ['another path', upgrade.replace('/v1/store', '/v1/pins'), '404 Not Found'],
    [
      'another version',
      upgrade.replace(protocol, 'letterlock-store/9'),
      `426 Upgrade Required\r\nUpgrade: ${protocol}`,
    ],
    ['another host', upgrade.replace('Host: letterlock', 'Host: localhost:80'), '403 Forbidden'],
    ['a browser', upgrade.replace('Upgrade:', 'Origin: http://localhost\r\nUpgrade:'), '403 Forbidden'],
    ['no upgrade at all', 'GET /v1/store HTTP/1.1\r\nHost: letterlock\r\n\r\n', '404 Not Found'],
  ])('comes by %s', async (_, request, answer) => {
    expect(await said(await front(), request, null)).toContain(`HTTP/1.1 ${answer}`);
  });

  it.each([
    ['a line without a checksum', `${upgrade}{"ask":"load","id":0}\n`],
    ['a line of a holder', `${upgrade}${hello}`],
    ['a record that is none', `${upgrade}${badCommit()}`],
    ['a line without an end', `${upgrade}${'x'.repeat(17 * 1024 * 1024)}`],
  ])('says %s: its connection ends, and nothing was carried out', async (_, text) => {
    const heard = await said(await front(), text, null);
    expect(heard).toContain('"hello"');
    expect(heard).not.toMatch(/"done"|"committed"/);
  });
});

function badCommit(): string {
  const change = { endpoint, expected: 0, record: { ...recordOf(endpoint), pins: 'all' }, audit: [] };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return lineOf('guest', { ask: 'commit', id: 0, changes: [change] } as unknown as Ask);
}

/** Everything said until `enough` was, or until the connection ends. */
async function said(path: string, text: string, enough: string | null): Promise<string> {
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(text);
  let heard = '';
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('utf8');
      if (enough !== null && heard.includes(enough)) resolve(heard);
    });
    socket.once('close', () => resolve(heard));
  });
}
