// Lists on disk while somebody changes them, and what a real server staples.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors } from '../../src/net/anchors.ts';
import { CrlError, CrlFiles } from '../../src/net/crl-files.ts';
import { dial } from '../../src/net/dial.ts';
import { handshake } from '../../src/net/handshake.ts';
import { Examiner } from '../../src/trust/examine.ts';
import type { Peer } from '../../src/trust/evidence.ts';
import { type Issued, OpensslCa } from '../trust/openssl-ca.ts';

const ca = new OpensslCa();
const namesake = new OpensslCa();
afterAll(() => [ca, namesake].forEach((each) => each.close()));
const good = ca.issue();
const bad = ca.issue();
const empty = ca.crl({ name: 'empty.pem' });
ca.revoke(bad);
const full = ca.crl({ name: 'full.pem' });
const old = ca.crl({ name: 'old.pem', days: 0 });
const now = Date.now();
const anchors = { certificates: [ca.der] };

const counts = (files: CrlFiles): readonly number[] => files.lists.map(({ content }) => content.revoked.size);

describe('revocation lists on disk', () => {
  it('are read again when their file changes, and not before', async () => {
    const path = ca.path('live.pem');
    copyFileSync(empty, path);
    const files = await CrlFiles.open([path], anchors);
    expect(counts(files)).toEqual([0]);
    expect(await files.look(now)).toEqual({ changed: false, problems: [] });
    copyFileSync(full, path);
    expect(await files.look(now)).toEqual({ changed: true, problems: [] });
    expect(counts(files)).toEqual([1]);
  });

  it('stay in force when their file goes or is spoilt, with a word about it each time', async () => {
    const path = ca.path('spoilt.pem');
    copyFileSync(full, path);
    const files = await CrlFiles.open([path], anchors);
    writeFileSync(path, 'nothing');
    const spoilt = await files.look(now);
    expect(spoilt.changed).toBe(false);
    expect(spoilt.problems).toEqual([expect.stringContaining('no revocation list in it')]);
    copyFileSync(namesake.crl(), path);
    expect((await files.look(now)).problems).toEqual([
      expect.stringContaining('not signed by the CA it names'),
    ]);
    rmSync(path);
    expect((await files.look(now)).problems).toEqual([expect.stringContaining('(ENOENT)')]);
    expect(counts(files)).toEqual([1]);
    copyFileSync(empty, path);
    expect(await files.look(now)).toEqual({ changed: true, problems: [] });
  });

  it('out of date are told of, and still count', async () => {
    const files = await CrlFiles.open([old, full], anchors);
    expect(counts(files)).toEqual([1, 1]);
    expect(files.stale(now)).toEqual([
      expect.stringMatching(/Revoking CA in .*old\.pem ended on 2024-02-01/),
    ]);
    const early = Date.parse('2024-01-15T00:00:00Z');
    expect(files.stale(early)).toEqual([expect.stringMatching(/full\.pem is dated .*still to come/)]);
  });

  it('that cannot be used do not open', async () => {
    await expect(CrlFiles.open([ca.path('none.pem')], anchors)).rejects.toBeInstanceOf(CrlError);
    await expect(CrlFiles.open([namesake.crl()], anchors)).rejects.toThrow('not signed by the CA it names');
    expect(counts(await CrlFiles.open([namesake.crl()], { certificates: [] }))).toEqual([0]);
  });
});

/** One handshake with `openssl s_server` that staples this answer; null: none. */
async function met(
  server: Issued,
  staple: Uint8Array | null,
  profile: 'modern' | 'legacy' = 'modern',
): Promise<Peer> {
  const file = ca.path('staple.der');
  if (staple !== null) writeFileSync(file, staple);
  const args = ['s_server', '-accept', '127.0.0.1:0', '-cert', server.certificate, '-key', server.key];
  const stapling = staple === null ? [] : ['-status_file', file];
  const child = spawn('openssl', [...args, ...stapling], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const port = await portIn(createInterface(child.stdout));
    const signal = new AbortController().signal;
    const raw = await dial({ host: '127.0.0.1', port }, { deadlineMs: 5_000, signal });
    const endpoint = endpointOf('mail.test', port);
    const set = await loadAnchors([ca.certificate]);
    const { socket, peer } = await handshake(raw, {
      endpoint,
      anchors: set,
      profile,
      deadlineMs: 5_000,
      signal,
    });
    socket.destroy();
    return peer;
  } finally {
    child.kill();
    await once(child, 'close');
  }
}

async function portIn(lines: AsyncIterable<string>): Promise<number> {
  for await (const line of lines) {
    const port = /^ACCEPT .*:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('openssl s_server ended');
}

const faultsOf = async ({ chain, chainError, staple }: Peer): Promise<readonly string[]> =>
  new Examiner().examine(chain, {
    anchors: await loadAnchors([ca.certificate]),
    endpoint: endpointOf('mail.test', 993),
    chainError,
    staple,
    now: Date.now(),
    clockSuspect: false,
  }).faults;

describe('what a server staples', () => {
  it('comes with the peer, and counts only when it is good', async () => {
    const revoked = await met(bad, ca.ocsp(bad));
    expect(revoked.staple?.length).toBeGreaterThan(100);
    expect(await faultsOf(revoked)).toEqual(['revoked']);
    expect(await faultsOf(await met(good, ca.ocsp(good)))).toEqual([]);
    expect(await faultsOf(await met(bad, ca.ocsp(good)))).toEqual([]);
  });

  it('is null without one, and not asked for in a legacy handshake', async () => {
    expect((await met(good, null)).staple).toBeNull();
    expect((await met(bad, ca.ocsp(bad), 'legacy')).staple).toBeUndefined();
  });
});
