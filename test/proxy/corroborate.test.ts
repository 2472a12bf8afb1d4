// A first use looked at from elsewhere, over real sockets: sibling ports in TLS and STARTTLS, another path, and
// whoever is silent. No vantage point is ever sent more than a handshake.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { corroborate } from '../../src/proxy/corroborate.ts';
import { targetDeskOf } from '../../src/proxy/route-desk.ts';
import type { Vantage } from '../../src/proxy/route.ts';
import { derOf, listen, portOf, selfSigned, type Identity } from '../net/peers.ts';
import { honest } from './scripts.ts';
import { FakeServer, keyOf, Rig, routeTo, type Step } from './world.ts';

let own: Identity;
let other: Identity;
let anchors: AnchorSet;
const closing: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  own = await selfSigned();
  other = await selfSigned();
  anchors = await loadAnchors([]);
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const mail: readonly Step[] = [{ do: 'tls' }, { say: '* OK ready\r\n' }, { do: 'echo' }];
/** Waits in TLS for what must never come. */
const silent: readonly Step[] = [{ do: 'tls' }, { do: 'echo' }];

async function server(identity: Identity, script: readonly Step[] = silent): Promise<FakeServer> {
  const made = await new FakeServer(identity, script).listen();
  closing.push(() => made.close());
  return made;
}

const port = ({ port: number }: { readonly port: number }, scheme: string | null = null): Vantage => ({
  kind: 'port',
  port: number,
  scheme,
});

async function open(vantages: readonly Vantage[], atLeast = 1, corroborateMs = 5_000): Promise<Rig> {
  const rig = await Rig.open({
    identity: own,
    anchors,
    script: mail,
    timing: { corroborateMs },
    route: {
      vantages,
      trust: { policy: 'tofu', firstUse: 'accept', configPins: [], corroborate: { atLeast } },
    },
  });
  closing.push(() => rig.close());
  return rig;
}

const looks = (rig: Rig) => rig.events.filter((event) => event.type === 'corroborated');

/** A port of this machine that refuses connections. */
async function closedPort(): Promise<{ readonly port: number }> {
  const taken = await listen(createServer());
  const number = portOf(taken);
  taken.close();
  return { port: number };
}

describe('a first use', () => {
  it('is made when sibling ports in TLS and STARTTLS show the same key, and they hear nothing of the client', async () => {
    const tls = await server(own);
    const starttls = await server(own, honest('imap', 'starttls'));
    const rig = await open([port(tls), port(starttls, 'imap')], 2);
    const client = await rig.client().hear('* OK ready');
    await client.say('a LOGIN me secret\r\n').hear('secret');
    expect(looks(rig)).toMatchObject([
      {
        spki: keyOf(own),
        agreed: [`port ${tls.port}`, `port ${starttls.port}`],
        differing: [],
        unreached: [],
      },
    ]);
    expect(rig.tofu.record(rig.endpoint)?.pins).toMatchObject([
      {
        spki: keyOf(own),
        origin: 'first-use',
        evidence: { corroboration: { agreed: [expect.anything(), expect.anything()] } },
      },
    ]);
    for (const { heard } of [tls, starttls]) expect(heard).toBe('');
    await rig.client().hear('* OK ready');
    expect(looks(rig)).toHaveLength(1);
  });

  it('is held when one of them shows another key, and that one is named', async () => {
    const same = await server(own);
    const strange = await server(other);
    const rig = await open([port(same), port(strange)]);
    await rig.client().hear('its key is new and waits for approval');
    const end = await rig.end();
    expect(end).toMatchObject({ outcome: 'refused', reason: 'first-use-held', spki: keyOf(own) });
    expect(looks(rig)).toMatchObject([
      { agreed: [`port ${same.port}`], differing: [`port ${strange.port}`] },
    ]);
    const record = rig.tofu.record(rig.endpoint);
    expect(record).toMatchObject({ basis: 'none', pins: [] });
    expect(record?.candidates).toMatchObject([{ spki: keyOf(own), reason: 'first-use-held' }]);
    expect(rig.tofu.explain(end.reference ?? '').steps.join('\n')).toContain(
      `Seen from port ${strange.port} the server shows another key, ${keyOf(other)}`,
    );
  });

  it('goes by those that could be asked', async () => {
    const same = await server(own);
    const closed = await closedPort();
    const injecting = await server(own, [{ say: '* OK ready\r\n' }, { do: 'end' }]);
    const rig = await open([port(same), port(closed), port(injecting, 'imap')]);
    await rig.client().hear('* OK ready');
    expect(looks(rig)).toMatchObject([
      {
        agreed: [`port ${same.port}`],
        differing: [],
        unreached: [`port ${closed.port}`, `port ${injecting.port}`],
      },
    ]);
  });

  it('is held when nobody could be asked, unless the settings ask for nobody', async () => {
    const closed = await closedPort();
    const held = await open([port(closed)]);
    await held.client().hear('its key is new and waits for approval');
    expect(await held.end()).toMatchObject({ reason: 'first-use-held' });
    const loose = await open([port(closed)], 0);
    await loose.client().hear('* OK ready');
    expect(looks(loose)).toMatchObject([{ agreed: [], unreached: [`port ${closed.port}`] }]);
  });

  it('waits for whoever is silent until the deadline and no longer', async () => {
    const deaf = await server(own, []);
    const same = await server(own);
    const rig = await open([port(deaf), port(deaf, 'imap'), port(same)], 1, 300);
    await rig.client().hear('* OK ready');
    expect(looks(rig)).toMatchObject([
      { agreed: [`port ${same.port}`], unreached: [`port ${deaf.port}`, `port ${deaf.port}`] },
    ]);
    expect(looks(rig)[0]?.seconds).toBeGreaterThan(0.25);
    expect(looks(rig)[0]?.seconds).toBeLessThan(4);
  });

  it('of many clients at once is looked at once', async () => {
    const same = await server(own);
    const rig = await open([port(same)]);
    const clients = Array.from({ length: 20 }, () => rig.client());
    await Promise.all(clients.map((client) => client.hear('* OK ready')));
    expect(same.visits.length).toBeLessThan(20);
    expect(rig.tofu.record(rig.endpoint)?.pins).toHaveLength(1);
  });

  it('is not made while its client is gone', async () => {
    const deaf = await server(own, []);
    const rig = await open([port(deaf)], 0, 2_000);
    const client = rig.client();
    await expect.poll(() => deaf.visits.length).toBe(1);
    client.socket.resetAndDestroy();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
    expect(rig.tofu.record(rig.endpoint)).toBeNull();
  });

  it('is not made by whoever forgets to look', async () => {
    const rig = await open([port(await server(own))]);
    const { route, tofu } = rig;
    const tls = { version: 'TLSv1.3', cipher: '', profile: 'modern' } as const;
    const peer = {
      chain: [derOf(own)],
      spki: keyOf(own),
      resumed: false,
      chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      tls,
    };
    const judged = tofu.judge({ endpoint: route.endpoint, settings: route.trust, peer, anchors });
    expect(judged.verdict).toMatchObject({ accept: true, basis: 'first-use' });
    expect(await tofu.settle(judged)).toMatchObject({ accept: false, reason: 'first-use-held' });
    const about = { agreed: ['here'], differing: [], unreached: [] };
    const ofAnother = {
      ...judged,
      evidence: { ...judged.evidence, corroboration: { ...about, spki: keyOf(other) } },
    };
    expect(await tofu.settle(ofAnother)).toMatchObject({ accept: false, reason: 'first-use-held' });
    const looked = {
      ...judged,
      evidence: { ...judged.evidence, corroboration: { ...about, spki: keyOf(own) } },
    };
    expect(await tofu.settle(looked)).toMatchObject({ accept: true });
  });
});

/** A SOCKS5 proxy on whose path another server stands. */
async function pathTo(target: FakeServer): Promise<Vantage> {
  const proxy = await listen(
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(Buffer.of(5, 0));
        socket.once('data', () => {
          const far = connect(target.port, '127.0.0.1', () => {
            socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
            socket.pipe(far).pipe(socket);
          });
          far.on('error', () => socket.destroy());
          socket.on('close', () => far.destroy());
        });
      });
    }),
  );
  closing.push(() => void proxy.close());
  return { kind: 'proxy', via: { kind: 'socks5', host: '127.0.0.1', port: portOf(proxy), login: null } };
}

describe('another path', () => {
  it('that leads to the same key agrees, and one that leads to another is named', async () => {
    const same = await pathTo(await server(own));
    const agreed = await open([same]);
    await agreed.client().hear('* OK ready');
    expect(looks(agreed)).toMatchObject([
      { agreed: [expect.stringMatching(/^socks5:\/\/127\.0\.0\.1:\d+$/)] },
    ]);
    const held = await open([await pathTo(await server(other))]);
    await held.client().hear('its key is new and waits for approval');
    expect(looks(held)).toMatchObject([{ agreed: [], differing: [expect.stringContaining('socks5://')] }]);
  });
});

describe('other addresses of the name', () => {
  it('are asked at the same port, but for the one that was reached', async () => {
    const near = await server(own);
    const far = createTlsServer({ ...other }).on('tlsClientError', () => undefined);
    far.listen(near.port, '127.0.0.2');
    await once(far, 'listening');
    closing.push(() => void far.close());
    const vantages: readonly Vantage[] = [{ kind: 'addresses' }];
    const route = { ...routeTo(near, {}), endpoint: endpointOf('mail.test', near.port), vantages };
    const resolved = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }));
    const look = { route, spki: keyOf(own), reached: '::ffff:127.0.0.1', deadlineMs: 5_000 };
    expect(
      await corroborate(targetDeskOf(route, anchors), { ...look, resolve: async () => resolved }),
    ).toEqual({
      spki: keyOf(own),
      agreed: [],
      differing: [{ where: 'address 127.0.0.2', spki: keyOf(other) }],
      unreached: ['address 127.0.0.3'],
    });
    const nobody = { ...look, resolve: () => Promise.reject(new Error('no such name')) };
    expect(await corroborate(targetDeskOf(route, anchors), nobody)).toMatchObject({
      agreed: [],
      differing: [],
      unreached: [],
    });
  });

  it('and other ports are found by the one name look-up of all', async () => {
    const near = await server(own);
    const vantages: readonly Vantage[] = [{ kind: 'port', port: near.port, scheme: null }];
    const route = { ...routeTo(near, {}), endpoint: endpointOf('mail.test', 993), vantages };
    const resolved = [{ address: '127.0.0.1', family: 4 }];
    const look = { route, spki: keyOf(own), reached: null, deadlineMs: 5_000, resolve: async () => resolved };
    expect(await corroborate(targetDeskOf(route, anchors), look)).toMatchObject({
      agreed: [`port ${near.port}`],
    });
  });
});
