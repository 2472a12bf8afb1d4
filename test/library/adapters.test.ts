// The adapters, each with the library it is for.

import { once } from 'node:events';
import { createServer, get, type Server } from 'node:https';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Agent, fetch } from 'undici';
import { TrustError, type Tofu } from '../../src/index.ts';
import { portOf, selfSigned } from '../net/peers.ts';
import { Opened } from './world.ts';

let opened: Opened;
let tofu: Tofu;
let server: Server;
let asked: number;
beforeEach(async () => {
  opened = new Opened();
  asked = 0;
  server = createServer(await selfSigned(), (_, answer) => {
    asked += 1;
    answer.end('hello');
  }).listen(0, '127.0.0.1');
  opened.also(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  tofu = await opened.tofu();
});
afterEach(() => opened.close());

const url = (): string => `https://127.0.0.1:${portOf(server)}/`;
const changeKey = async (): Promise<void> => {
  server.setSecureContext(await selfSigned());
  server.closeAllConnections();
};

const request = (agent: ReturnType<Tofu['httpsAgent']>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get(url(), { agent }, (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });

describe('the agent of node:https', () => {
  test.each([false, true])(
    'asks a server it may trust, and none whose key changed (keepAlive: %s)',
    async (keepAlive) => {
      const agent = tofu.httpsAgent({ keepAlive });
      expect(await request(agent)).toBe(200);
      expect(await request(agent)).toBe(200);
      await changeKey();
      await vi.waitFor(() => expect(Object.keys(agent.freeSockets)).toEqual([]));
      await expect(request(agent)).rejects.toMatchObject({ code: 'pin-mismatch' });
      expect(asked).toBe(2);
      agent.destroy();
    },
  );
});

describe('the connector of undici', () => {
  test('makes fetch ask a server it may trust, and none whose key changed', async () => {
    const dispatcher = new Agent({ connect: tofu.connector() });
    opened.also(() => dispatcher.destroy());
    expect(await (await fetch(url(), { dispatcher })).text()).toBe('hello');
    await changeKey();
    // The other one may still think its connection good.
    const fresh = new Agent({ connect: tofu.connector() });
    opened.also(() => fresh.destroy());
    const failed = fetch(url(), { dispatcher: fresh });
    await expect(failed).rejects.toThrow('fetch failed');
    await expect(failed).rejects.toMatchObject({ cause: expect.any(TrustError) });
    expect(asked).toBe(1);
  });

  test('leaves plain HTTP alone, and gives up after its time', async () => {
    const plain = await import('node:http').then(({ createServer: create }) =>
      create((_, answer) => answer.end('plain')).listen(0, '127.0.0.1'),
    );
    opened.also(() => void plain.close());
    await once(plain, 'listening');
    const dispatcher = new Agent({ connect: tofu.connector({ timeoutMs: 200 }) });
    opened.also(() => dispatcher.destroy());
    const answer = await fetch(`http://127.0.0.1:${portOf(plain)}/`, { dispatcher });
    expect(await answer.text()).toBe('plain');
    const silent = await import('node:net').then(({ createServer: create }) =>
      create().listen(0, '127.0.0.1'),
    );
    opened.also(() => void silent.close());
    await once(silent, 'listening');
    const late = fetch(`https://127.0.0.1:${portOf(silent)}/`, { dispatcher });
    await expect(late).rejects.toMatchObject({ cause: { message: 'no connection within 200 ms' } });
  });
});
