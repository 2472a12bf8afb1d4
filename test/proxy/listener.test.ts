// Everything routes listen on, or nothing, across the kinds of places.

import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Door } from '../../src/proxy/door.ts';
import { Inherited } from '../../src/proxy/inherited.ts';
import { Binding } from '../../src/proxy/listener.ts';
import type { ListenPlace, Route } from '../../src/proxy/route.ts';
import { portOf } from '../net/peers.ts';
import { plainRoute } from './route.ts';
import { FakeClient } from './world.ts';

let folder: string;
const closing: { close(): unknown }[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'letterlock-listen-'));
});
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
  rmSync(folder, { recursive: true });
});

const anyPort: ListenPlace = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const at = (port: number): ListenPlace => ({ kind: 'tcp', host: '127.0.0.1', port });
const file = (name: string, mode = 0o600): ListenPlace => ({
  kind: 'unix',
  path: join(folder, name),
  mode,
  group: null,
});
const route = (name: string, ...listen: readonly ListenPlace[]): Route => ({ ...plainRoute, name, listen });

function binding(open: readonly Door[] = []): Binding {
  return new Binding(open, new Inherited());
}

async function doorsOf(attempt: Binding, of: Route): Promise<readonly Door[]> {
  const { doors } = await attempt.listen(of);
  closing.push(...doors);
  return doors;
}

const portOfDoor = (door: Door | undefined): number => door?.address?.port ?? 0;

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  closing.push(server);
  await once(server, 'listening');
  return portOf(server);
}

describe('a route', () => {
  it('listens on all its places', async () => {
    const attempt = binding();
    const doors = await doorsOf(attempt, route('imap', anyPort, file('a.sock'), file('b.sock')));
    expect(doors.map(({ text }) => text)).toEqual([
      `127.0.0.1:${portOfDoor(doors[0])}`,
      `unix:${join(folder, 'a.sock')}`,
      `unix:${join(folder, 'b.sock')}`,
    ]);
    expect(attempt.opened).toEqual(new Set(doors));
  });

  it('has one door where two of its places are one', async () => {
    const port = await freePort();
    expect(await doorsOf(binding(), route('imap', at(port), at(port)))).toHaveLength(1);
    expect(await doorsOf(binding(), route('imap', file('a.sock'), file('a.sock')))).toHaveLength(1);
  });

  it('needs unsafeListen off loopback, unless its clients speak TLS', async () => {
    const everywhere = route('imap', { kind: 'tcp', host: '0.0.0.0', port: 0 });
    await expect(binding().listen(everywhere)).rejects.toMatchObject({ code: 'listen-unsafe' });
    await expect(doorsOf(binding(), { ...everywhere, unsafeListen: true })).resolves.toHaveLength(1);
    for (const mode of ['implicit', 'starttls'] as const) {
      const clientTls = { ...plainRoute.clientTls, mode };
      await expect(doorsOf(binding(), { ...everywhere, clientTls })).resolves.toHaveLength(1);
    }
  });

  it('cannot have a socket that was not passed', async () => {
    await expect(binding().listen(route('imap', { kind: 'fd', name: 'imap' }))).rejects.toMatchObject({
      code: 'listen-failed',
      exit: 'config',
      hint: expect.stringContaining('FileDescriptorName=imap'),
    });
  });
});

describe('two routes', () => {
  it.each([
    ['port', async () => at(await freePort())],
    ['socket file', () => Promise.resolve(file('a.sock'))],
  ] as const)('cannot share a %s, and both are named', async (_, place) => {
    const attempt = binding();
    const same = await place();
    await doorsOf(attempt, route('one', same));
    await expect(attempt.listen(route('two', anyPort, same))).rejects.toMatchObject({
      code: 'listen-busy',
      exit: 'config',
      message: expect.stringMatching(/^one and two both listen on /),
    });
    await attempt.undo();
  });

  it('may swap what they listen on, and every door stays open', async () => {
    const [a, b] = [at(await freePort()), file('b.sock')];
    const before = binding();
    const [one, two] = [await doorsOf(before, route('one', a)), await doorsOf(before, route('two', b))];
    const after = binding([...one, ...two]);
    expect(await doorsOf(after, route('one', b))).toEqual(two);
    expect(await doorsOf(after, route('two', a))).toEqual(one);
    expect(after.opened.size).toBe(0);
  });
});

describe('an attempt that fails', () => {
  it('leaves nothing open of what it opened, and what was open as it was', async () => {
    const kept = await doorsOf(binding(), route('kept', file('kept.sock')));
    const attempt = binding(kept);
    await attempt.listen(route('kept', file('kept.sock', 0o660)));
    await attempt.listen(route('new', file('new.sock')));
    const [door] = (await attempt.listen(route('tcp', anyPort))).doors;
    await expect(
      attempt.listen(route('busy', file('more.sock'), at(await takenPort()))),
    ).rejects.toMatchObject({ code: 'listen-busy' });
    await attempt.undo();
    expect(readdirSync(folder)).toEqual(['kept.sock']);
    expect(statSync(join(folder, 'kept.sock')).mode & 0o777).toBe(0o600);
    expect((await new FakeClient(portOfDoor(door)).over()).error).toBe('ECONNREFUSED');
    expect(existsSync(join(folder, 'kept.sock'))).toBe(true);
  });
});

async function freePort(): Promise<number> {
  const port = await takenPort();
  const server = closing.pop();
  server?.close();
  return port;
}
