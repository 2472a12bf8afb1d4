// What runs beside the engine of a program, whichever way the program came to it.

import { afterEach, expect, test, vi } from 'vitest';
import { parseEndpoint } from '../../src/endpoint.ts';
import { runEngine } from '../../src/library/engine.ts';
import { Announcer } from '../../src/library/hooks.ts';
import { Live } from '../../src/library/live.ts';
import { Settings } from '../../src/library/settings.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { selfSigned } from '../tofu/world.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('writes down by itself when a key was last seen', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const now = Date.now();
  const store = openMemoryStore();
  const touch = vi.spyOn(store, 'touch');
  const settings = new Settings({ caFile: [], trust: 'tofu' });
  const parts = { store, secret: Buffer.alloc(32), settings, announcer: new Announcer({}), live: new Live() };
  const running = await runEngine({ ...parts, now: () => now });
  const endpoint = parseEndpoint('mail.example.org:993');
  const { peer, spki } = selfSigned();
  const meet = () =>
    running.engine.settle(running.engine.judge({ endpoint, ...settings.of(endpoint), peer }));
  expect(await meet()).toMatchObject({ accept: true });
  expect(await meet()).toMatchObject({ accept: true });
  expect(touch).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() => expect(touch.mock.calls.flat(2)).toMatchObject([{ spki, lastSeen: now }]));
  await running.close();
});
