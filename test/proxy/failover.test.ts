// Sessions with a route that has more than one server, or a proxy before it: every server is its own endpoint,
// judged by its own record, and nothing one of them said or refused is mended by another.

import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { Lookups } from '../../src/net/lookups.ts';
import type { Target } from '../../src/proxy/route.ts';
import { listen, portOf, selfSigned, type Identity } from '../net/peers.ts';
import { plainRoute } from './route.ts';
import { honest, prologueOf } from './scripts.ts';
import { FakeServer, keyOf, Rig, type RigOptions, type Step } from './world.ts';

let anchors: AnchorSet;
let own: Identity;
let second: Identity;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  anchors = await loadAnchors([]);
  own = await selfSigned();
  second = await selfSigned();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function server(
  identity: Identity,
  script: readonly Step[] = honest('imap', 'implicit'),
): Promise<FakeServer> {
  const made = await new FakeServer(identity, script).listen();
  closing.push(() => made.close());
  return made;
}

const targetAt = (host: string, port: number, part: Partial<Target> = {}): Target => ({
  endpoint: endpointOf(host, port),
  upstream: `imaps://${host}:${port}`,
  addresses: [],
  anchors: [],
  trust: plainRoute.trust,
  ...part,
});

async function rigWith(options: Partial<RigOptions> & { readonly others?: readonly Target[] }): Promise<Rig> {
  const { others = [], route, ...rest } = options;
  const rig = await Rig.open({
    script: honest(rest.protocol ?? 'imap', rest.upstreamTls ?? 'implicit'),
    identity: own,
    anchors,
    ...rest,
    route: { others, ...route },
  });
  closing.push(() => rig.close());
  return rig;
}

describe('a route with two servers', () => {
  it('goes on with the second when the first is down, under the second one’s own record', async () => {
    const standIn = await server(second);
    const rig = await rigWith({ others: [targetAt('127.0.0.1', standIn.port)] });
    const first = await rig.client().hear('ready');
    first.socket.end();
    expect(await rig.end(1)).toMatchObject({ endpoint: rig.endpoint, basis: 'first-use', spki: keyOf(own) });
    rig.server.close();
    const client = await rig.client().hear('ready');
    await client.say('a1 NOOP\r\n').hear('a1 NOOP');
    client.socket.end();
    const name = `127.0.0.1:${standIn.port}`;
    expect(await rig.end(2)).toMatchObject({ endpoint: name, basis: 'first-use', spki: keyOf(second) });
    expect(rig.tofu.record(rig.endpoint)?.pins).toMatchObject([{ spki: keyOf(own) }]);
    expect(rig.tofu.record(name)?.pins).toMatchObject([{ spki: keyOf(second) }]);
    // The first is not asked again for a while.
    const dialled = rig.count('dialled');
    await rig.client().hear('ready');
    expect(rig.events.filter(({ type }) => type === 'dialled').slice(dialled)).toMatchObject([
      { endpoint: name, result: 'connected' },
    ]);
  });

  it('refuses a second with another key than its own, although it is the key of the first', async () => {
    const standIn = await server(second);
    const rig = await rigWith({ others: [targetAt('127.0.0.1', standIn.port)] });
    rig.server.close();
    const client = await rig.client().hear('ready');
    client.socket.end();
    await rig.end(1);
    standIn.identity = own;
    const refused = await rig.client().over();
    expect(refused.text).toMatch(/^\* BYE \[ALERT\] letterlock refused 127\.0\.0\.1: its key changed/);
    expect(await rig.end(2)).toMatchObject({
      outcome: 'refused',
      reason: 'pin-mismatch',
      endpoint: `127.0.0.1:${standIn.port}`,
    });
    expect(standIn.heard).not.toContain('LOGIN');
    // The hold is that of the server whose turn it is, and it answers.
    const visits = standIn.visits.length;
    await rig.client().over();
    expect(await rig.end(3)).toMatchObject({
      reason: 'pin-mismatch',
      detail: expect.stringContaining('memory'),
    });
    expect(standIn.visits).toHaveLength(visits);
  });

  it.each(['never seen', 'pinned'] as const)(
    'remembers what a second, %s, was refused for before TLS',
    async (known) => {
      const stripped = prologueOf('imap', { list: '* CAPABILITY IMAP4rev1\r\nz1 OK\r\n' });
      const standIn = await server(second, stripped);
      const rig = await rigWith({ upstreamTls: 'starttls', others: [targetAt('127.0.0.1', standIn.port)] });
      rig.server.close();
      const pin = { endpoint: `127.0.0.1:${standIn.port}`, pin: keyOf(second), forMs: null, unreject: false };
      if (known === 'pinned') await rig.tofu.command({ command: 'add', ...pin }, { origin: 'cli' });
      await rig.client().over();
      expect(await rig.end(1)).toMatchObject({ reason: 'starttls-missing' });
      await rig.client().over();
      expect(await rig.end(2)).toMatchObject({
        reason: 'starttls-missing',
        detail: expect.stringContaining('memory'),
      });
      expect(standIn.visits).toHaveLength(1);
    },
  );

  it.each<[string, { readonly script?: readonly Step[]; readonly upstreamTls?: 'starttls' }, string]>([
    ['shows another key', {}, 'pin-mismatch'],
    ['closes in the handshake', { script: [{ do: 'end' }] }, 'tls-failed'],
    ['greets with a refusal', { script: [{ do: 'tls' }, { say: '* BYE busy\r\n' }] }, 'no-greeting'],
    [
      'offers no STARTTLS',
      {
        upstreamTls: 'starttls',
        script: prologueOf('imap', { list: '* CAPABILITY IMAP4rev1\r\nz1 OK\r\n' }),
      },
      'starttls-missing',
    ],
    [
      'says more than the go-ahead',
      { upstreamTls: 'starttls', script: prologueOf('imap', { goAhead: 'z2 OK go\r\n* BAD\r\n' }) },
      'injected-bytes',
    ],
  ])('asks no other when the first is there and %s', async (_, { script, upstreamTls }, reason) => {
    const mode = upstreamTls ?? 'implicit';
    const standIn = await server(second, honest('imap', mode));
    const rig = await rigWith({ upstreamTls: mode, others: [targetAt('127.0.0.1', standIn.port)] });
    if (reason === 'pin-mismatch') {
      const client = await rig.client().hear('ready');
      client.socket.end();
      await rig.end(1);
      rig.server.identity = second;
    }
    if (script !== undefined) rig.server.script = script;
    await rig.client().over();
    await rig.until(() => rig.ends.at(-1)?.reason === reason);
    expect(rig.ends.at(-1)).toMatchObject({ endpoint: rig.endpoint });
    expect(standIn.visits).toEqual([]);
  });

  it('goes on with the second when nobody answers for the name of the first, asked once for all clients', async () => {
    const asked: string[] = [];
    const standIn = await server(second);
    const lookups = new Lookups({
      lookUp: (host) => {
        asked.push(host);
        return new Promise(() => undefined);
      },
    });
    const route = targetAt('hanging.test', 993);
    const others = [targetAt('127.0.0.1', standIn.port)];
    const rig = await rigWith({ lookups, route, others, limits: { dialSeconds: 1 } });
    const clients = [rig.client(), rig.client(), rig.client()];
    await Promise.all(clients.map((client) => client.hear('ready')));
    expect(asked).toEqual(['hanging.test']);
  });

  it('says of which server it speaks when none is there, and logs them all', async () => {
    const standIn = await server(second);
    const rig = await rigWith({ others: [targetAt('127.0.0.1', standIn.port)] });
    const { port } = standIn;
    rig.server.close();
    standIn.close();
    const client = await rig.client().over();
    expect(client.text).toMatch(
      /^\* BYE letterlock could not reach 127\.0\.0\.1: no connection could be made/,
    );
    expect(await rig.end()).toMatchObject({
      outcome: 'failed',
      reason: 'dial',
      detail: `${rig.endpoint}: ECONNREFUSED; 127.0.0.1:${port}: ECONNREFUSED`,
    });
  });
});

/** A SOCKS proxy that leads everything to one port, and notes what was asked for. */
async function socksTo(port: number): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const proxy = await listen(
    createServer((client) => {
      sockets.push(client.on('error', () => undefined));
      client.once('data', () => {
        client.write(Buffer.from([5, 0]));
        client.once('data', (request: Buffer) => {
          asked.push(request.toString('latin1', 5, 5 + (request[4] ?? 0)));
          const behind = connect(port, '127.0.0.1').on('error', () => undefined);
          sockets.push(behind);
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          client.pipe(behind).pipe(client);
        });
      });
    }),
  );
  closing.push(() => {
    proxy.close();
    sockets.forEach((socket) => socket.destroy());
  });
  return { port: portOf(proxy), asked };
}

describe('a route through a proxy', () => {
  it.each([
    ['implicit', 'imap', 'implicit'],
    ['STARTTLS, where the server speaks first', 'smtp', 'starttls'],
  ] as const)('reaches a name that only the proxy knows: %s', async (_, protocol, upstreamTls) => {
    const hidden = await server(own, honest(protocol, upstreamTls));
    const proxy = await socksTo(hidden.port);
    const name = 'abcdefghijklmnop.onion';
    const rig = await rigWith({
      protocol,
      upstreamTls,
      route: {
        ...targetAt(name, 993),
        via: { kind: 'socks5', host: '127.0.0.1', port: proxy.port, login: null },
      },
    });
    const client = await rig.client().hear(protocol === 'imap' ? 'ready' : '220');
    await client.say('NOOP\r\n').hear('NOOP');
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', endpoint: `${name}:993`, spki: keyOf(own) });
    expect(proxy.asked).toEqual([name]);
  });

  it('is told by code, and what the proxy said stands in the log alone', async () => {
    const rig = await rigWith({
      route: {
        ...targetAt('mail.test', 993),
        via: { kind: 'http', host: '127.0.0.1', port: (await forbidding()).port, login: null },
      },
    });
    const client = await rig.client().over();
    expect(client.text).toMatch(/^\* BYE letterlock could not reach mail\.test: no connection could be made/);
    expect(client.text).not.toContain('coffee');
    expect(await rig.end()).toMatchObject({
      reason: 'dial',
      detail: expect.stringContaining('403 No coffee'),
    });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'dialled', result: 'proxy' }));
    expect(rig.count('dialled')).toBe(1);
  });

  it('without one a name of Tor is looked up by nobody', async () => {
    const rig = await rigWith({ route: targetAt('abcdefghijklmnop.onion', 993) });
    await rig.client().over();
    expect(await rig.end()).toMatchObject({ reason: 'dns', detail: expect.stringContaining('Tor') });
  });
});

async function forbidding(): Promise<{ port: number }> {
  const proxy = await listen(
    createServer((socket) =>
      socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 403 No coffee\r\n\r\n')),
    ),
  );
  closing.push(() => proxy.close());
  return { port: portOf(proxy) };
}
