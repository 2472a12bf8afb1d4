// Whose process is at the other end: read from the kernel's tables, here both real and written by hand.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { endianness } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { PeerTable, type Ends } from '../../src/proxy/peer-table.ts';
import { portOf } from '../net/peers.ts';

const closing: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
});

/** The other end, 127.0.0.1:40000, of a connection to port 1143. */
const ends: Ends = {
  remoteAddress: '127.0.0.1',
  remotePort: 40_000,
  localAddress: '127.0.0.1',
  localPort: 1143,
};

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (addresses: string, { state = '01', uid = 1000, inode = 4711 } = {}): string =>
  `   0: ${addresses} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 00000000a1b2c3d4 20 4 0 10 -1\n`;

// As a little-endian machine writes it; the others have the bytes of each word the other way round.
const client = '0100007F:9C40 0100007F:0477';
const mapped = '0000000000000000FFFF00000100007F:9C40 0000000000000000FFFF00000100007F:0477';
const v6 = '00000000000000000000000001000000:9C40 00000000000000000000000001000000:0477';

interface Tables {
  readonly tcp?: string;
  readonly tcp6?: string;
  readonly pieceBytes?: number;
}

function tableOf({ tcp = '', tcp6 = '', pieceBytes = 65_536 }: Tables): PeerTable {
  return new PeerTable(async function* read(path) {
    const text = Buffer.from(header + (path.endsWith('tcp6') ? tcp6 : tcp));
    for (let at = 0; at < text.length; at += pieceBytes) yield text.subarray(at, at + pieceBytes);
  });
}

describe.skipIf(endianness() !== 'LE')('a table', () => {
  it.each<[string, Tables, Ends, number | null]>([
    ['an IPv4 socket', { tcp: row(client) }, ends, 1000],
    ['an IPv6 socket that speaks IPv4', { tcp6: row(mapped) }, ends, 1000],
    [
      'an IPv4 socket, seen by a listener of both families',
      { tcp: row(client) },
      { ...ends, remoteAddress: '::ffff:127.0.0.1', localAddress: '::ffff:127.0.0.1' },
      1000,
    ],
    ['an IPv6 socket', { tcp6: row(v6) }, { ...ends, remoteAddress: '::1', localAddress: '::1' }, 1000],
    [
      'a socket among others',
      { tcp: row('0100007F:9C41 0100007F:0477', { uid: 5 }) + row(client) },
      ends,
      1000,
    ],
    ['root', { tcp: row(client, { uid: 0 }) }, ends, 0],
  ])('tells the uid of %s', async (_, tables, of, uid) => {
    await expect(tableOf(tables).uidOf(of)).resolves.toBe(uid);
    await expect(tableOf({ ...tables, pieceBytes: 7 }).uidOf(of)).resolves.toBe(uid);
  });

  it.each<[string, Tables]>([
    ['nobody', {}],
    ['the other direction only', { tcp: row('0100007F:0477 0100007F:9C40') }],
    ['another port', { tcp: row('0100007F:9C41 0100007F:0477') }],
    ['another listener', { tcp: row('0100007F:9C40 0100007F:0478') }],
    ['another address', { tcp: row('0200007F:9C40 0100007F:0477') }],
    ['one in TIME_WAIT, which reads as root', { tcp: row(client, { state: '06', uid: 0 }) }],
    ['one that is closing', { tcp: row(client, { state: '04' }) }],
    ['one whose process let go of it', { tcp: row(client, { inode: 0 }) }],
    ['a line that was cut off', { tcp: row(client).slice(0, 90) }],
    ['a line without an end', { tcp: 'x'.repeat(100_000) }],
  ])('tells nothing where it shows %s', async (_, tables) => {
    await expect(tableOf(tables).uidOf(ends)).resolves.toBeNull();
  });

  it.each<[string, Ends]>([
    ['a UNIX socket', {}],
    ['an IPv6 address that is not loopback', { ...ends, remoteAddress: 'fd00::1', localAddress: 'fd00::1' }],
    ['something that is no address', { ...ends, remoteAddress: 'localhost' }],
  ])('tells nothing of %s, and is not read for it', async (_, of) => {
    const table = new PeerTable(() => {
      throw new Error('read');
    });
    await expect(table.uidOf(of)).resolves.toBeNull();
  });

  it('tells nothing where it cannot be read', async () => {
    const table = new PeerTable(() => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    });
    await expect(table.uidOf(ends)).resolves.toBeNull();
  });
});

describe('many questions at once', () => {
  it('share a reading that began after each of them', async () => {
    let readings = 0;
    const gates: (() => void)[] = [];
    const table = new PeerTable(async function* read(path) {
      if (path.endsWith('tcp6')) return;
      readings += 1;
      await new Promise<void>((resolve) => gates.push(resolve));
      yield Buffer.from(row(client));
    });
    const first = table.uidOf(ends);
    const late = Array.from({ length: 1000 }, () => table.uidOf(ends));
    expect(readings).toBe(1);
    gates.shift()?.();
    await first;
    await expect.poll(() => readings).toBe(2);
    gates.shift()?.();
    await Promise.all(late);
    expect(readings).toBe(2);
  });
});

describe.skipIf(process.platform !== 'linux')('the real tables', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::ffff:127.0.0.1'],
    ['127.0.0.9', '127.0.0.9'],
    ['::1', '::1'],
  ])('tell who connects to %s by %s', async (bound, to) => {
    const server = createServer();
    closing.push(server);
    const listening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(0, bound, () => resolve(true));
    });
    if (!listening) return;
    const accepted = once(server, 'connection');
    const made = connect(portOf(server), to);
    closing.push({ close: () => made.destroy() });
    await once(made, 'connect');
    const [socket]: Socket[] = await accepted;
    if (!socket) throw new TypeError('no socket');
    closing.push({ close: () => socket.destroy() });
    const table = new PeerTable();
    await expect(table.uidOf(socket)).resolves.toBe(process.getuid?.());
    made.resetAndDestroy();
    await once(socket, 'error');
    await expect(table.uidOf({ ...ends, remotePort: made.localPort })).resolves.toBeNull();
  });
});
