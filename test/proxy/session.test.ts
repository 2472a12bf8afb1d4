// Sessions from accept to their end: what is greeted, what is relayed, and that nothing else gets through.

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { localGreeting } from '../../src/mail/local-greeting.ts';
import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { clearMark, greetingOf, honest, mailProtocols, negativeOf } from './scripts.ts';
import { keyOf, makeAuthority, Rig, type Authority, type RigOptions, type Step } from './world.ts';

let directory: string;
let authority: Authority;
let own: Identity;
let other: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-proxy-'));
  authority = await makeAuthority();
  await writeFile(join(directory, 'ca.pem'), authority.pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  own = await selfSigned();
  other = await selfSigned();
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const rig = await Rig.open({ identity: own, anchors, script: honest(protocol, upstreamTls), ...options });
  rigs.push(rig);
  return rig;
}

const tls: Step = { do: 'tls' };
interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  const gate = new EventEmitter();
  return { promise: once(gate, 'open').then(() => undefined), resolve: () => void gate.emit('open') };
}

const never = new Promise<never>(() => undefined);
const routes: readonly (readonly [Protocol, UpstreamTls])[] = [
  ...mailProtocols.map((protocol) => [protocol, 'implicit'] as const),
  ...mailProtocols.map((protocol) => [protocol, 'starttls'] as const),
];

/** What a client of this route is greeted with. */
const clientGreeting = (protocol: Protocol, upstreamTls: UpstreamTls): string =>
  upstreamTls === 'implicit' || protocol === 'sieve'
    ? greetingOf(protocol)
    : Buffer.from(localGreeting(protocol)).toString('latin1');

describe('a session', () => {
  it.each(routes)('of %s over %s greets the client and relays both ways', async (protocol, upstreamTls) => {
    const rig = await open({ protocol, upstreamTls });
    const expected = clientGreeting(protocol, upstreamTls);
    const client = await rig.client().hear(expected);
    await client.say('x1 HELLO\r\n').hear('x1 HELLO\r\n');
    client.socket.end();
    const end = await rig.end();
    expect(client.text).toBe(`${expected}x1 HELLO\r\n`);
    expect(rig.server.heard).toBe('x1 HELLO\r\n');
    expect(end).toMatchObject({
      outcome: 'relayed',
      basis: 'first-use',
      spki: keyOf(own),
      said: null,
      bytesUp: 10,
    });
    expect(end.bytesDown).toBe(expected.length + 10);
  });

  it.each(mailProtocols)(
    'of %s over STARTTLS shows the client nothing the server said in clear',
    async (protocol) => {
      const rig = await open({ protocol, upstreamTls: 'starttls' });
      const client = await rig.client().hear(clientGreeting(protocol, 'starttls'));
      client.socket.end();
      await rig.end();
      expect(client.text).not.toContain(clearMark);
      expect(rig.server.visits[0]?.clear.toString()).toMatch(/^(?:STARTTLS|z1 CAPABILITY|CAPA|EHLO|LHLO)/);
    },
  );

  it('over tls:// relays raw bytes, also an HTTP request and a server that waits for the client', async () => {
    const rig = await open({ protocol: 'tls' });
    const client = await rig.client().say('GET / HTTP/1.1\r\n\r\n').hear('GET / HTTP/1.1\r\n\r\n');
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', basis: 'first-use' });
    expect(rig.server.heard).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('hides from the client what cannot work through a proxy', async () => {
    const list = '* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=PLAIN] server ready\r\n';
    const rig = await open({ script: [tls, { say: list }, { do: 'echo' }] });
    const client = await rig.client().hear('ready');
    expect(client.text).toContain('AUTH=PLAIN');
    expect(client.text).not.toContain('PLUS');
  });

  it('passes five megabytes each way byte for byte', async () => {
    const rig = await open();
    const client = await rig.client().hear(greetingOf('imap'));
    // What looks like the end of a message, of a line, of a literal must pass as it is.
    const mail = Buffer.concat([
      Buffer.from('a1 LOGIN x y\r\n'),
      randomBytes(5_000_000),
      Buffer.from('\r\n.\r\n\0\n.\n\r'),
    ]);
    for (let sent = 0; sent < mail.length;) {
      const size = 1 + (randomBytes(3).readUIntBE(0, 3) % 70_000);
      if (!client.socket.write(mail.subarray(sent, sent + size)))
        await new Promise((resolve) => client.socket.once('drain', resolve));
      sent += size;
    }
    client.socket.end();
    await client.over();
    await rig.end();
    expect(rig.server.visits[0]?.secured.length).toBe(mail.length);
    expect(client.received.subarray(greetingOf('imap').length).equals(mail)).toBe(true);
    expect(rig.server.visits[0]?.secured.equals(mail)).toBe(true);
  });

  it('tells of each step once, and of its end once', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    client.socket.end();
    await rig.end();
    const types = rig.events.map(({ type }) => type).filter((type) => !type.startsWith('store'));
    expect(types).toEqual([
      'listening',
      'session-started',
      'dialled',
      'handshaken',
      'pin-changed',
      'judged',
      'greeted',
      'carried',
      'session-ended',
    ]);
  });
});

describe('early client bytes', () => {
  it('are held until the greeting and delivered once after it', async () => {
    const rig = await open();
    const client = await rig.client().say('a1 LOG').say('IN x y\r\n').hear('a1 LOGIN x y\r\n');
    client.socket.end();
    await rig.end();
    expect(client.text).toBe(`${greetingOf('imap')}a1 LOGIN x y\r\n`);
    expect(rig.server.heard).toBe('a1 LOGIN x y\r\n');
  });

  it('beyond four kilobytes stay in order', async () => {
    const greet = deferred();
    const rig = await open({
      script: [tls, { wait: greet.promise }, { say: greetingOf('imap') }, { do: 'echo' }],
    });
    const early = `a1 NOOP\r\n${'x'.repeat(100_000)}\r\nend of it\r\n`;
    const client = rig.client().say(early);
    await rig.until(() => rig.count('handshaken') === 1);
    greet.resolve();
    await client.hear('end of it\r\n');
    client.socket.end();
    await rig.end();
    expect(client.text).toBe(`${greetingOf('imap')}${early}`);
  });

  it('of a client that sent everything ahead and ended are still served', async () => {
    const rig = await open();
    const client = rig.client();
    client.socket.end('a1 LOGOUT\r\n');
    await client.over();
    expect(client.text).toBe(`${greetingOf('imap')}a1 LOGOUT\r\n`);
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
  });
});

describe('a client that is not a mail client', () => {
  const hello = Buffer.from('1603010200010001fc0303', 'hex');
  const rows = [
    ['http', 'POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@b>\r\n'],
    ['tls-on-plain', hello],
  ] as const;

  it.each(rows)('speaking %s at once is reset, and the server hears nothing of it', async (reason, bytes) => {
    const rig = await open({ script: [{ wait: never }] });
    const client = await rig.client().say(bytes).over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason, said: null });
    expect(client.text).toBe('');
    expect(client.error).toBe('ECONNRESET');
    expect(rig.server.heard).toBe('');
  });

  it.each(rows)(
    'speaking %s after the greeting is reset, and the server hears nothing of it',
    async (reason, bytes) => {
      const rig = await open();
      const client = await rig.client().hear('ready');
      await client.say(bytes).over();
      expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason });
      expect(rig.server.heard).toBe('');
      expect(client.error).toBe('ECONNRESET');
    },
  );

  it('is recognised byte by byte as well', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    for (const character of 'GET / HT') client.say(character);
    await client.over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'http' });
    expect(rig.server.heard).toBe('');
  });

  it('is not what a mail client with an odd tag is taken for', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    await client.say('GET NOOP\r\n').hear('GET NOOP\r\n');
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
  });
});

describe('proof of protocol', () => {
  const silent: readonly Step[] = [tls, { wait: never }];

  it.each(mailProtocols)(
    'a silent %s server is a failure without a greeting, and no pin',
    async (protocol) => {
      const rig = await open({ protocol, script: silent, limits: { greetingSeconds: 0.1 } });
      const client = rig.client().say('SECRET');
      expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'no-greeting' });
      await client.over();
      expect(rig.server.heard).toBe('');
      expect(rig.tofu.record(rig.endpoint)?.basis ?? 'none').toBe('none');
    },
  );

  it('ManageSieve after STARTTLS must give its capabilities again', async () => {
    const script = honest('sieve', 'starttls').filter(
      (step) => !('say' in step && step.say === greetingOf('sieve')),
    );
    const rig = await open({
      protocol: 'sieve',
      upstreamTls: 'starttls',
      script,
      timing: { sieveProofMs: 100 },
    });
    rig.client();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'no-greeting' });
    expect(rig.tofu.record(rig.endpoint)?.basis ?? 'none').toBe('none');
  });

  it.each(mailProtocols)('a negative %s greeting is never a first use', async (protocol) => {
    const rig = await open({ protocol, script: [tls, { say: negativeOf(protocol) }, { do: 'end' }] });
    const client = await rig.client().over();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'no-greeting' });
    expect(client.text).not.toContain('too many');
    expect(rig.tofu.record(rig.endpoint)?.basis ?? 'none').toBe('none');
  });

  it.each(mailProtocols)('a negative %s greeting of a pinned server is passed on', async (protocol) => {
    const rig = await open({ protocol });
    const first = await rig.client().hear('ready');
    first.socket.end();
    await rig.end(1);
    rig.server.script = [tls, { say: negativeOf(protocol) }, { do: 'end' }];
    const client = await rig.client().over();
    expect(client.text).toBe(negativeOf(protocol));
    client.socket.end();
    expect(await rig.end(2)).toMatchObject({ outcome: 'relayed', basis: 'pin' });
  });

  it('another service on the port is refused although its key is pinned', async () => {
    const rig = await open();
    const first = await rig.client().hear('ready');
    first.socket.end();
    await rig.end(1);
    rig.server.script = [tls, { say: 'HTTP/1.1 400 Bad Request\r\n\r\n' }];
    const client = await rig.client().over();
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'not-this-protocol' });
    expect(client.text).not.toContain('HTTP');
  });

  it('a PREAUTH greeting inside verified TLS is the server’s own affair', async () => {
    const rig = await open({ script: [tls, { say: '* PREAUTH welcome\r\n' }, { do: 'end' }] });
    const client = await rig.client().over();
    expect(client.text).toBe('* PREAUTH welcome\r\n');
  });

  it('a CA-verified server is relayed without a pin', async () => {
    const trust = { policy: 'auto', firstUse: 'accept', configPins: [] } as const;
    const rig = await open({ identity: await authority.issue(), route: { trust } });
    const client = await rig.client().hear('ready');
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', basis: 'ca' });
    expect(rig.tofu.record(rig.endpoint)).toMatchObject({ basis: 'ca', pins: [] });
  });
});

describe('a name that leads to another server', () => {
  it.each([
    ['127.0.0.1', { outcome: 'relayed', basis: 'ca' }],
    ['mail.test', { outcome: 'refused', reason: 'ca-invalid', bytesUp: 0 }],
  ] as const)('needs a certificate for %s, not for the address it is reached at', async (name, expected) => {
    const trust = { policy: 'ca', firstUse: 'accept', configPins: [] } as const;
    const rig = await open({ identity: await authority.issue(), route: { trust } });
    const addresses = [{ host: '127.0.0.1', port: rig.server.port }];
    await rig.proxy.replace([{ ...rig.route, endpoint: endpointOf(name, 993), addresses }]);
    const client = rig.client().say('a1 LOGIN me secret\r\n');
    await client.hear(expected.outcome === 'relayed' ? 'LOGIN' : 'BYE');
    client.socket.end();
    expect(await rig.end()).toMatchObject(expected);
    if (expected.outcome === 'refused') expect(rig.server.heard).toBe('');
  });
});

describe('a client that goes early', () => {
  it('ends the approach to the server', async () => {
    const rig = await open({ script: [tls, { wait: never }] });
    const client = rig.client();
    await rig.until(() => rig.count('handshaken') === 1);
    client.socket.destroy();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client', said: null });
    expect(rig.server.heard).toBe('');
    expect(rig.tofu.record(rig.endpoint)?.basis ?? 'none').toBe('none');
  });

  it.each(['reset', 'end'] as const)('at once (%s) costs no dial', async (how) => {
    const rig = await open({ script: [{ wait: never }] });
    const crowd = 40;
    for (let count = 0; count < crowd; count += 1) {
      const { socket } = rig.client();
      socket.once('connect', () => (how === 'reset' ? socket.resetAndDestroy() : socket.end()));
    }
    expect(await rig.end(crowd)).toMatchObject({ outcome: 'failed', reason: 'client', said: null });
    expect(rig.server.visits).toHaveLength(0);
    rig.client();
    await rig.until(() => rig.count('dialled') === 1);
    expect(rig.server.visits).toHaveLength(1);
  });

  it('having said nothing has gone, also when it only ended', async () => {
    const rig = await open({ script: [{ wait: never }] });
    rig.client().socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
  });
});

describe('the end of a session', () => {
  it('the server’s end reaches the client as an end', async () => {
    const rig = await open({
      script: [
        tls,
        { say: greetingOf('imap') },
        { hear: 'LOGOUT\r\n' },
        { say: '* BYE bye\r\n' },
        { do: 'end' },
      ],
    });
    const client = await rig.client().hear('ready');
    await client.say('a1 LOGOUT\r\n').over();
    expect(client.text).toBe(`${greetingOf('imap')}* BYE bye\r\n`);
    expect(client.error).toBeNull();
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
  });

  it('the client’s end reaches the server as an end, and the answer still comes', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    client.socket.end('a1 LAST\r\n');
    await client.over();
    expect(client.text).toBe(`${greetingOf('imap')}a1 LAST\r\n`);
    expect(rig.server.visits[0]).toMatchObject({ ended: true, error: null });
  });

  it('the server’s reset reaches the client as a reset', async () => {
    const half = deferred();
    const rig = await open({
      script: [
        tls,
        { say: greetingOf('imap') },
        { hear: 'FETCH\r\n' },
        { say: '* half a' },
        { wait: half.promise },
        { do: 'reset' },
      ],
    });
    // Nothing filters any more after a line that is not a capability list.
    const client = await rig.client().hear('ready');
    await client.say('a1 FETCH\r\n').hear('* half a');
    half.resolve();
    await client.over();
    expect(client.error).toBe('ECONNRESET');
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'relay', said: null });
  });

  it('a server that resets after the client had ended failed nobody', async () => {
    const said = deferred();
    const rig = await open({
      script: [
        tls,
        { say: greetingOf('imap') },
        { hear: 'LOGOUT' },
        { say: '* BYE\r\n' },
        { wait: said.promise },
        { do: 'reset' },
      ],
    });
    const client = await rig.client().hear('ready');
    client.socket.end('a LOGOUT\r\n');
    await client.hear('* BYE');
    said.resolve();
    expect(await rig.end()).toMatchObject({
      outcome: 'relayed',
      detail: expect.stringContaining('after the client had ended'),
    });
    expect((await client.over()).ended).toBe(false);
  });

  it('the client’s reset reaches the server as a break, not as an end', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    await client.say('a1 DATA\r\nhalf').hear('half');
    client.socket.resetAndDestroy();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
    while (rig.server.visits[0]?.closed !== true) await new Promise(setImmediate);
    expect(rig.server.visits[0]).toMatchObject({ ended: false });
  });

  it('a client that never reads is reset after the drain time', async () => {
    const rig = await open({ timing: { drainMs: 100 } });
    const client = rig.client();
    client.socket.pause();
    client.socket.end(Buffer.concat([Buffer.from('a1 NOOP\r\n'), randomBytes(30_000_000)]));
    expect(await rig.end()).toMatchObject({ session: expect.stringMatching(/^[0-9A-Z]{3}-1$/) });
    expect(rig.proxy.status()[0]?.sessions).toBe(0);
  });

  it('silence beyond the idle time resets both sides', async () => {
    const rig = await open({ limits: { idleMinutes: 0.002 } });
    const client = await rig.client().hear('ready');
    await client.over();
    expect(client.error).toBe('ECONNRESET');
    expect(await rig.end()).toMatchObject({ outcome: 'relayed', detail: expect.stringContaining('idle') });
  });
});

const reject = (rig: Rig, identity: Identity): Promise<unknown> =>
  rig.tofu.command({ command: 'reject', endpoint: rig.endpoint, expect: keyOf(identity) }, { origin: 'cli' });
const approve = (rig: Rig, identity: Identity): Promise<unknown> =>
  rig.tofu.command(
    {
      command: 'approve',
      endpoint: rig.endpoint,
      expect: keyOf(identity),
      forMs: null,
      as: null,
      keep: false,
      endOld: false,
      unreject: false,
    },
    { origin: 'cli' },
  );
const add = (rig: Rig, identity: Identity): Promise<unknown> =>
  rig.tofu.command(
    { command: 'add', endpoint: rig.endpoint, pin: keyOf(identity), forMs: null, unreject: false },
    { origin: 'cli' },
  );

describe('trust that changes', () => {
  it('first use, then another key is refused, then approved, then accepted', async () => {
    const rig = await open();
    const first = await rig.client().hear('ready');
    first.socket.end();
    expect(await rig.end(1)).toMatchObject({ basis: 'first-use', outcome: 'relayed' });

    rig.server.identity = other;
    const refused = await rig.client().say('a1 LOGIN SECRET\r\n').over();
    const end = await rig.end(2);
    expect(end).toMatchObject({
      outcome: 'refused',
      reason: 'pin-mismatch',
      spki: keyOf(other),
      basis: null,
    });
    expect(refused.text).toBe(`* BYE [ALERT] ${end.said}\r\n`);
    expect(end.said).toContain(end.reference);
    expect(rig.tofu.byReference(end.reference ?? '')).toEqual({ endpoint: rig.endpoint, spki: keyOf(other) });
    expect(rig.server.heard).toBe('');

    await approve(rig, other);
    const last = await rig.client().hear('ready');
    last.socket.end();
    expect(await rig.end(3)).toMatchObject({ outcome: 'relayed', basis: 'pin', spki: keyOf(other) });
  });

  it('a rejected key resets its live sessions at once, and no others', async () => {
    const rig = await open();
    const client = await rig.client().hear('ready');
    await client.say('a1 IDLE\r\n').hear('IDLE');
    await add(rig, other);
    rig.server.identity = other;
    const safe = await rig.client().hear('ready');
    await reject(rig, own);
    await client.over();
    expect(client.error).toBe('ECONNRESET');
    expect(await rig.end(1)).toMatchObject({
      session: expect.stringMatching(/-1$/),
      outcome: 'relayed',
      spki: keyOf(own),
    });
    expect(rig.events.filter(({ type }) => type === 'session-revoked')).toEqual([
      {
        type: 'session-revoked',
        session: expect.stringMatching(/-1$/),
        endpoint: rig.endpoint,
        spki: keyOf(own),
      },
    ]);
    await safe.say('b1 STILL HERE\r\n').hear('STILL HERE');
    await rig.until(() => rig.server.visits[0]?.closed === true);
  });

  it('a key rejected while the greeting is awaited is refused, and hears nothing', async () => {
    const greet = deferred();
    const rig = await open();
    const first = await rig.client().hear('ready');
    first.socket.end();
    await rig.end(1);
    rig.server.script = [tls, { wait: greet.promise }, { say: greetingOf('imap') }, { do: 'echo' }];
    const before = rig.count('handshaken');
    const client = rig.client().say('a1 LOGIN SECRET\r\n');
    await rig.until(() => rig.count('handshaken') > before);
    await reject(rig, own);
    greet.resolve();
    await client.over();
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'key-rejected' });
    expect(client.text).not.toContain('server ready');
    expect(rig.server.heard).toBe('');
  });

  it('an unrelated change while the greeting is awaited does not disturb the session', async () => {
    const greet = deferred();
    const rig = await open();
    const first = await rig.client().hear('ready');
    first.socket.end();
    await rig.end(1);
    rig.server.script = [tls, { wait: greet.promise }, { say: greetingOf('imap') }, { do: 'echo' }];
    const before = rig.count('handshaken');
    const client = rig.client();
    await rig.until(() => rig.count('handshaken') > before);
    await add(rig, other);
    greet.resolve();
    await client.hear('ready');
    client.socket.end();
    expect(await rig.end(2)).toMatchObject({ outcome: 'relayed', basis: 'pin' });
  });

  it('a rejection at any moment around the relay’s beginning leaves no session alive on that key', async () => {
    for (let ticks = 0; ticks < 60; ticks += 1) {
      const rig = await open({ protocol: 'tls' });
      const first = await rig.client().say('x').hear('x');
      first.socket.end();
      await rig.end(1);
      const before = rig.count('handshaken');
      const client = rig.client();
      await rig.until(() => rig.count('handshaken') > before);
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      await reject(rig, own);
      await client.over();
      const end = await rig.end(2);
      const cut = rig.count('session-revoked') === 1;
      expect(end).toMatchObject(
        cut ? { outcome: 'relayed' } : { outcome: 'refused', reason: 'key-rejected' },
      );
      await rig.close();
    }
  });

  it('fifty first sessions on two keys end with one key pinned, and only its sessions relayed', async () => {
    const rig = await open();
    const greeted: Promise<unknown>[] = [];
    for (let number = 0; number < 50; number += 1) {
      rig.server.identity = number % 2 === 0 ? own : other;
      const client = rig.client();
      const seen = rig.server.visits.length;
      greeted.push(client.over());
      while (rig.server.visits.length === seen && rig.ends.length <= number - 16)
        await new Promise(setImmediate);
      client.say('a1 LOGOUT\r\n').socket.end();
    }
    await Promise.all(greeted);
    await rig.until(() => rig.ends.length === 50);
    const pins = rig.tofu.record(rig.endpoint)?.pins ?? [];
    expect(pins).toHaveLength(1);
    const relayed = rig.ends.filter(({ outcome }) => outcome === 'relayed');
    expect(new Set(relayed.map(({ spki }) => spki))).toEqual(new Set([pins[0]?.spki]));
    expect(rig.ends.filter(({ outcome }) => outcome === 'refused').length + relayed.length).toBe(50);
  });
});
