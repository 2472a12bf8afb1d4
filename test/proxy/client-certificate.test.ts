// Node shows a client certificate to whoever asks in the handshake, before anything is judged. So these servers
// ask, and write down who showed them what.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import type { UpstreamTls } from '../../src/mail/protocol.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { approach } from '../../src/proxy/approach.ts';
import type { Route, Target } from '../../src/proxy/route.ts';
import { RouteDesk } from '../../src/proxy/route-desk.ts';
import { portOf, selfSigned, tlsServer, type Identity } from '../net/peers.ts';
import { honest, prologueOf } from './scripts.ts';
import { keyOf, makeAuthority, Rig, toolsOf, type Step } from './world.ts';

let directory: string;
let anchors: AnchorSet;
let server: Identity;
let impostor: Identity;
let client: Identity;
const closing: (() => unknown)[] = [];
const file = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-client-'));
  anchors = await loadAnchors([]);
  [server, impostor, client] = await Promise.all([selfSigned(), selfSigned(), selfSigned()]);
  await writeFile(file('client.pem'), client.cert);
  await writeFile(file('client.key'), client.key);
  await writeFile(file('other.key'), impostor.key);
  await writeFile(file('text'), 'neither certificate nor key\n');
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const shown = 'shown';
const nothing = 'nothing';

/** A mail server that asks for a certificate and takes any. `seen` is what each connection brought. */
class Asking {
  readonly seen: string[] = [];
  readonly port: number;
  readonly #server: Awaited<ReturnType<typeof tlsServer>>;

  readonly #options: TlsOptions;

  private constructor(made: Awaited<ReturnType<typeof tlsServer>>, seen: string[], options: TlsOptions) {
    this.#server = made;
    this.#options = options;
    this.seen = seen;
    this.port = portOf(made);
  }

  static async open(identity: Identity, options: TlsOptions = {}): Promise<Asking> {
    const seen: string[] = [];
    const served = (socket: TLSSocket): void => {
      const got = socket.getPeerX509Certificate();
      seen.push(
        got === undefined
          ? nothing
          : keyOf({ cert: got.toString(), key: '' }) === keyOf(client)
            ? shown
            : 'another',
      );
      socket.write('* OK ready\r\n');
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end());
    };
    // It only looks at what it is shown.
    const asks = { requestCert: true, rejectUnauthorized: false, ...options };
    const asking = new Asking(await tlsServer(identity, asks, served), seen, options);
    closing.push(() => asking.#server.close());
    return asking;
  }

  become(identity: Identity): void {
    if ('setSecureContext' in this.#server && typeof this.#server.setSecureContext === 'function')
      this.#server.setSecureContext({ ...identity, ...this.#options });
  }
}

async function rigFor(asking: Asking, part: Partial<Route> = {}): Promise<Rig> {
  const rig = await Rig.open({
    script: [],
    identity: server,
    anchors,
    route: {
      endpoint: endpointOf('127.0.0.1', asking.port),
      clientCertificate: { certificate: file('client.pem'), key: file('client.key') },
      ...part,
    },
  });
  closing.push(() => rig.close());
  return rig;
}

/** One session to its good end. */
async function relayed(rig: Rig): Promise<void> {
  const ends = rig.ends.length;
  const mail = await rig.client().hear('ready');
  mail.socket.end();
  expect(await rig.end(ends + 1)).toMatchObject({ outcome: 'relayed' });
}

async function refused(rig: Rig): Promise<string | null> {
  const ends = rig.ends.length;
  await rig.client().over();
  return (await rig.end(ends + 1)).reason;
}

const approve = (rig: Rig, spki: string): Promise<unknown> =>
  rig.tofu.command(
    {
      command: 'approve',
      endpoint: rig.endpoint,
      expect: spki,
      forMs: null,
      as: null,
      keep: false,
      endOld: false,
      unreject: false,
    },
    { origin: 'cli' },
  );

/** A refused server of TLS 1.3 is left before it got as far as the certificate; one of 1.2 had it already. */
const tls12 = { maxVersion: 'TLSv1.2' } as const;

it('a server sees no certificate at first, sees it once pinned, and not after its key changed', async () => {
  const asking = await Asking.open(server, tls12);
  const rig = await rigFor(asking);
  await relayed(rig);
  await relayed(rig);
  await relayed(rig);
  expect(asking.seen).toEqual([nothing, shown, shown]);

  asking.become(impostor);
  // Whoever answers first where a server we know is expected sees it: that cannot be helped before his key is seen.
  expect(await refused(rig)).toBe('pin-mismatch');
  rig.clock.ahead += 3_000;
  expect(await refused(rig)).toBe('pin-mismatch');
  rig.clock.ahead += 10_000;
  expect(await refused(rig)).toBe('pin-mismatch');
  expect(asking.seen.slice(3)).toEqual([shown, nothing, nothing]);

  asking.become(server);
  rig.clock.ahead += 60_000;
  await relayed(rig);
  await relayed(rig);
  expect(asking.seen.slice(6)).toEqual([nothing, shown]);
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  const only = { minVersion: version, maxVersion: version } as const;

  it('a server sees no certificate at first, and sees it once pinned', async () => {
    const asking = await Asking.open(server, only);
    const rig = await rigFor(asking);
    await relayed(rig);
    await relayed(rig);
    expect(asking.seen).toEqual([nothing, shown]);
  });

  it('a server that insists is reached where its pin was added before', async () => {
    const insists = { ...only, ca: client.cert };
    const asking = await Asking.open(server, { ...insists, rejectUnauthorized: true }); // it must refuse who shows none
    const rig = await rigFor(asking);
    expect(await refused(rig)).toMatch(/tls-failed|no-greeting/);
    await rig.tofu.command(
      { command: 'add', endpoint: rig.endpoint, pin: keyOf(server), forMs: null, unreject: false },
      { origin: 'cli' },
    );
    await relayed(rig);
    expect(asking.seen).toEqual([shown]);
  });
});

it.each<[string, UpstreamTls, readonly Step[]]>([
  ['starttls-missing', 'starttls', prologueOf('imap', { list: '* CAPABILITY IMAP4rev1\r\nz1 OK\r\n' })],
  ['injected-bytes', 'starttls', prologueOf('imap', { goAhead: 'z2 OK go\r\n* BAD\r\n' })],
  ['not-this-protocol', 'implicit', [{ do: 'tls' }, { say: 'HTTP/1.1 400 Bad Request\r\n' }]],
])(
  'a server refused for %s is shown nothing before it is accepted again, or approved',
  async (reason, upstreamTls, bad) => {
    const rig = await Rig.open({
      identity: server,
      anchors,
      upstreamTls,
      script: honest('imap', upstreamTls),
    });
    closing.push(() => rig.close());
    const isEstablished = (): boolean =>
      rig.tofu.isEstablished({ endpoint: rig.route.endpoint, settings: rig.route.trust });
    await relayed(rig);
    expect(isEstablished()).toBe(true);
    rig.server.script = bad;
    expect(await refused(rig)).toBe(reason);
    // The hold is over, and what was refused stays so.
    rig.clock.ahead += 60_000;
    expect(isEstablished()).toBe(false);
    rig.server.script = honest('imap', upstreamTls);
    await relayed(rig);
    expect(isEstablished()).toBe(true);
    rig.server.script = bad;
    expect(await refused(rig)).toBe(reason);
    await approve(rig, keyOf(server));
    expect(isEstablished()).toBe(true);
  },
);

it.each([
  ['shown where nothing is remembered', null, shown],
  ['not shown while a refusal made meanwhile is remembered', 'starttls-missing', nothing],
] as const)('it is %s', async (_, reason, expected) => {
  const asking = await Asking.open(server, tls12);
  const rig = await rigFor(asking);
  await relayed(rig);
  const desk = new RouteDesk(rig.route, {
    anchorsFor: () => anchors,
    credentials: null,
    tools: toolsOf(rig.tofu),
  });
  const now = Date.now;
  const { socket } = await approach(desk, {
    tools: toolsOf(rig.tofu),
    signal: new AbortController().signal,
    // Another session is refused while this one is on its way.
    admitted: ({ hold }) => {
      if (reason !== null) hold.refused({ reason, reference: null, spki: null }, { now: now(), era: 'now' });
    },
  });
  socket.destroy();
  await expect.poll(() => asking.seen).toEqual([nothing, expected]);
});

it('a pin of the configuration is enough, and a CA that vouched before', async () => {
  const asking = await Asking.open(server);
  const trust = { policy: 'tofu', firstUse: 'accept', configPins: [keyOf(server)] } as const;
  await relayed(await rigFor(asking, { trust }));
  expect(asking.seen).toEqual([shown]);

  const authority = await makeAuthority();
  await writeFile(file('ca.pem'), authority.pem);
  const certified = await Asking.open(await authority.issue());
  const rig = await Rig.open({
    script: [],
    identity: server,
    anchors: await loadAnchors([file('ca.pem')]),
    route: {
      endpoint: endpointOf('127.0.0.1', certified.port),
      trust: { policy: 'ca', firstUse: 'accept', configPins: [] },
      clientCertificate: { certificate: file('client.pem'), key: file('client.key') },
    },
  });
  closing.push(() => rig.close());
  await relayed(rig);
  await relayed(rig);
  expect(certified.seen).toEqual([nothing, shown]);
});

it('a key that was refused and then approved is shown it at once, one that was rejected never', async () => {
  const asking = await Asking.open(server, tls12);
  const rig = await rigFor(asking);
  await relayed(rig);
  asking.become(impostor);
  expect(await refused(rig)).toBe('pin-mismatch');
  await approve(rig, keyOf(impostor));
  await relayed(rig);
  expect(asking.seen).toEqual([nothing, shown, shown]);
  await rig.tofu.command(
    { command: 'reject', endpoint: rig.endpoint, expect: keyOf(impostor) },
    { origin: 'cli' },
  );
  expect(await refused(rig)).toBe('key-rejected');
  expect(asking.seen.slice(3)).toEqual([nothing]);
});

it('two servers of a route are two: what one may see the other may not', async () => {
  const [first, standIn] = [await Asking.open(server), await Asking.open(impostor)];
  const other: Target = {
    endpoint: endpointOf('127.0.0.1', standIn.port),
    upstream: 'imaps://127.0.0.1',
    addresses: [],
    anchors: [],
    trust: { policy: 'tofu', firstUse: 'accept', configPins: [] },
  };
  const rig = await rigFor(first, { others: [other] });
  await relayed(rig);
  await relayed(rig);
  await rig.proxy.replace([{ ...rig.route, addresses: [{ host: '127.0.0.1', port: 1 }] }]);
  await relayed(rig);
  expect([first.seen, standIn.seen]).toEqual([[nothing, shown], [nothing]]);
});

describe('files that cannot be used keep the routes as they are, and are named', () => {
  it.each([
    ['absent.pem', 'client.key', /cannot read the client certificate .*absent\.pem/],
    ['client.pem', 'absent.key', /cannot read the key of the client certificate .*absent\.key/],
    ['text', 'client.key', /text holds no client certificate/],
    ['client.pem', 'text', /text holds no private key/],
    ['client.pem', 'other.key', /other\.key does not belong to the client certificate .*client\.pem/],
  ])('%s with %s', async (certificate, key, message) => {
    const asking = await Asking.open(server);
    const rig = await rigFor(asking, { clientCertificate: null });
    const bad = { ...rig.route, clientCertificate: { certificate: file(certificate), key: file(key) } };
    const work = rig.proxy.replace([bad]);
    await expect(work).rejects.toMatchObject({ code: 'client-certificate', exit: 'config' });
    await expect(work).rejects.toThrow(message);
    await relayed(rig);
    await relayed(rig);
    expect(asking.seen).toEqual([nothing, nothing]);
  });

  it('and what is read again is shown from then on', async () => {
    const asking = await Asking.open(server);
    await writeFile(file('changing.pem'), impostor.cert);
    await writeFile(file('changing.key'), impostor.key);
    const files = { certificate: file('changing.pem'), key: file('changing.key') };
    const rig = await rigFor(asking, { clientCertificate: files });
    await relayed(rig);
    await relayed(rig);
    await writeFile(file('changing.pem'), client.cert);
    await writeFile(file('changing.key'), client.key);
    await relayed(rig);
    await rig.proxy.replace([{ ...rig.route }]);
    await relayed(rig);
    expect(asking.seen).toEqual([nothing, 'another', 'another', shown]);
  });
});
