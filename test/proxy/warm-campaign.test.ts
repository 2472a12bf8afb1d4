// Many hand-outs of warm connections, by servers in another thread that give up idle connections between clients
// and at the very moment one comes. LETTERLOCK_HANDOUTS=10000 makes it the full campaign.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors } from '../../src/net/anchors.ts';
import type { Route } from '../../src/proxy/route.ts';
import { selfSigned } from '../net/peers.ts';
import { FakeClient, Rig } from './world.ts';

const handouts = Number(process.env['LETTERLOCK_HANDOUTS'] ?? 1000);
const protocols = ['imap', 'smtp', 'imap', 'smtp'] as const;

/** Greeted by a connection from before and answered by it; answered by another; one of its own; greeted and let down. */
type Fate = 'warm' | 'replaced' | 'cold' | 'stale';

const now = (): number => performance.timeOrigin + performance.now();
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What the greeting and the answer say of the connections they came by. */
const told = (text: string): readonly { readonly number: string; readonly at: number }[] =>
  [...text.matchAll(/#(\d+) @([\d.]+)/g)].map(([, number = '', at]) => ({ number, at: Number(at) }));

/** One client, to whose server `before` is given: it gives up what it greeted before then. */
async function fateOf(port: number, tag: string, giveUp: (before: number) => void): Promise<Fate> {
  const since = now();
  const client = new FakeClient(port);
  giveUp(since);
  try {
    await client.hear('\n');
    await client.say(`${tag} NOOP\r\n`).hear(`${tag} `);
    await client.hear(`${told(client.text).at(-1)?.at.toFixed(3) ?? '@'}\r\n`);
  } catch {
    return 'stale';
  } finally {
    client.socket.destroy();
  }
  const [greeting, answer, ...more] = told(client.text);
  if (greeting === undefined || answer === undefined || more.length > 0)
    throw new TypeError(`odd words: ${client.text}`);
  if (greeting.number !== answer.number) return 'replaced';
  return greeting.at < since ? 'warm' : 'cold';
}

it(`of ${handouts} hand-outs none is of a connection that its server had given up`, async () => {
  const identity = await selfSigned();
  const worker = new Worker(new URL('hasty-server.mjs', import.meta.url), {
    workerData: { identity, protocols },
  });
  const [posted]: unknown[] = await once(worker, 'message');
  const ports = z.array(z.number()).parse(posted);
  const rig = await Rig.open({
    identity,
    anchors: await loadAnchors([]),
    script: [],
    timing: { warmRetryMs: 1, warmLongestRetryMs: 4 },
  });
  const routes = ports.map((port, index): Route => ({
    ...rig.route,
    name: `route-${index}`,
    protocol: protocols[index] ?? 'imap',
    endpoint: endpointOf('127.0.0.1', port),
    warm: 2,
  }));
  await rig.proxy.replace(routes);
  const fates: Record<Fate, number> = { warm: 0, replaced: 0, cold: 0, stale: 0 };

  const serve = async ({ endpoint }: Route, index: number): Promise<void> => {
    const local = rig.proxy.status()[index]?.port ?? 0;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    const order = (before: number): void => worker.postMessage({ port: endpoint.port, before });
    /** How long a client takes from connecting to its answer, about. */
    let usualMs = 5;
    for (let count = 0; fates.warm + fates.replaced < handouts; count += 1) {
      const started = now();
      fates[
        await fateOf(local, `c${index}x${count}`, (before) => {
          // Every second client's server gives up at any moment of that time.
          if (count % 2 === 1) setTimeout(order, Math.random() * usualMs, before);
        })
      ] += 1;
      usualMs = 0.9 * usualMs + 0.1 * (now() - started);
      await wait(Math.random() * 20);
      // Nobody is connected: what is greeted by now is kept, or on its way to be.
      if (count % 5 === 0) order(now());
      if (count % 3 === 0) await wait(Math.random() * 20);
    }
  };
  try {
    await Promise.all(routes.map(serve));
  } finally {
    await rig.close();
    await worker.terminate();
  }
  process.stdout.write(`${JSON.stringify(fates)}\n`);
  expect(fates.stale).toBe(0);
  // Or the moment was never met, and nothing was shown.
  expect(fates.replaced).toBeGreaterThan(0);
}, 900_000);
