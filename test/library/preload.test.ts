// The preload: an unchanged program, every way in which it can connect, each under letterlock's policy.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2ServerRequest } from 'node:http2';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { runProgram } from '../lab/preloaded.ts';
import { portOf, selfSigned } from '../net/peers.ts';

let folder: Folder;
let server: Awaited<ReturnType<typeof webServers>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  server = await webServers();
});
afterEach(async () => {
  server.close();
  await folder.remove();
});

/** An HTTP/1.1 and an HTTP/2 server with one certificate; `secrets` counts the requests that reached them. */
async function webServers() {
  let secrets = 0;
  const answer = (
    request: IncomingMessage | Http2ServerRequest,
    response: { end(text: string): void },
  ): void => {
    if (request.headers.authorization !== undefined) secrets += 1;
    response.end('ok');
  };
  const { key, cert } = await selfSigned();
  const http1 = createServer({ key, cert }, answer).listen(0, '127.0.0.1');
  const http2 = createSecureServer({ key, cert }, answer).listen(0, '127.0.0.1');
  await Promise.all([once(http1, 'listening'), once(http2, 'listening')]);
  return {
    ports: { PORT: String(portOf(http1)), PORT2: String(portOf(http2)) },
    secrets: () => secrets,
    changeKey: async () => {
      const next = await selfSigned();
      for (const each of [http1, http2]) each.setSecureContext(next);
    },
    close: () => {
      http1.closeAllConnections();
      for (const each of [http1, http2]) each.close();
    },
  };
}

const everyWay = join(import.meta.dirname, 'programs/every-way.mjs');
const linesOf = (stdout: Buffer): readonly string[] => stdout.toString('utf8').trimEnd().split('\n');
const ways = 15;

const run = (env: Readonly<Record<string, string>> = {}, script = everyWay) =>
  runProgram({ script, folder: folder.path, env: { ...server.ports, ...env } });

// Each run starts five processes and threads.
describe('a preloaded program', { timeout: 60_000 }, () => {
  test('reaches a server it meets for the first time in every way, and no more once its key changed', async () => {
    const first = await run();
    const good = linesOf(first.stdout);
    expect(good).toHaveLength(ways);
    expect(
      good.filter((line) => !/: (200|secure)$/.test(line)),
      first.shown,
    ).toEqual([]);
    const before = server.secrets();
    expect(before).toBeGreaterThan(5);
    await server.changeKey();
    const second = await run();
    const refused = linesOf(second.stdout);
    expect(
      refused.filter((line) => !line.endsWith(': pin-mismatch')),
      second.shown,
    ).toEqual([]);
    expect(refused).toHaveLength(ways);
    expect(server.secrets()).toBe(before);
  });

  test('tells of a name that is none where it waits for errors', async () => {
    const { stdout } = await run({}, join(import.meta.dirname, 'programs/bad-name.mjs'));
    expect(linesOf(stdout)).toEqual(['https: error', 'fetch: error']);
  });

  test('goes by the variables and the file that letterlock run goes by', async () => {
    const { stdout, shown } = await run({ LETTERLOCK_TRUST: 'ca' });
    expect(
      linesOf(stdout).filter((line) => !line.endsWith(': ca-invalid')),
      shown,
    ).toEqual([]);
    expect(server.secrets()).toBe(0);
  });

  test.each([
    ['means nothing', { LETTERLOCK_TRSUT: 'ca' }, 'LETTERLOCK_TRSUT'],
    ['asks DANE where nobody could answer', { LETTERLOCK_TRUST: 'dane' }, 'no resolver is named'],
  ])('does not start with a variable that %s, and says which', async (_, env, told) => {
    const { exit, shown } = await run(env);
    expect(exit).not.toBe(0);
    expect(shown).toContain(told);
    expect(server.secrets()).toBe(0);
  });

  test('is refused everything while the store cannot be opened', async () => {
    const { stdout, shown } = await run({ LETTERLOCK_STATE: '/dev/null/state' });
    expect(
      linesOf(stdout).filter((line) => !line.endsWith(': store-unavailable')),
      shown,
    ).toEqual([]);
    expect(server.secrets()).toBe(0);
  });
});
