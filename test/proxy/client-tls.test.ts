// TLS on the client's side: what is greeted where, that nothing said before TLS counts after it, and that no
// other protocol's client gets through.

import { createSecureContext } from 'node:tls';
import * as fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import type { ClientTlsSettings } from '../../src/proxy/route.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { clearMark, greetingOf, honest, mailProtocols, negativeOf, prologueOf } from './scripts.ts';
import { Rig, type FakeClient, type RigOptions, type Step } from './world.ts';

type MailProtocol = Exclude<Protocol, 'tls'>;

let own: Identity;
let other: Identity;
let local: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];

beforeAll(async () => {
  [own, other, local] = await Promise.all([selfSigned(), selfSigned(), selfSigned()]);
  anchors = await loadAnchors([]);
});
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

const settings = (mode: ClientTlsSettings['mode']): ClientTlsSettings => ({
  mode,
  minVersion: 'TLSv1.2',
  files: null,
});

async function open(
  mode: ClientTlsSettings['mode'],
  options: Partial<RigOptions> & { readonly route?: RigOptions['route'] } = {},
): Promise<Rig> {
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const rig = await Rig.open({
    identity: own,
    clientIdentity: local,
    anchors,
    script: honest(protocol, upstreamTls),
    ...options,
    route: { clientTls: settings(mode), ...options.route },
  });
  rigs.push(rig);
  return rig;
}

const startTls: Readonly<Record<MailProtocol, string>> = {
  imap: 'a STARTTLS\r\n',
  pop3: 'STLS\r\n',
  smtp: 'STARTTLS\r\n',
  lmtp: 'STARTTLS\r\n',
  sieve: 'STARTTLS\r\n',
};
const ready = 'letterlock';
const beginTls = 'begin TLS now';

/** Greeted by us, asked for STARTTLS, inside TLS. */
async function upgraded(client: FakeClient, protocol: MailProtocol): Promise<FakeClient> {
  await client.hear(ready);
  await client.say(startTls[protocol]).hear(beginTls);
  return client.secure();
}

const upstreams: readonly UpstreamTls[] = ['implicit', 'starttls'];
const pairs = mailProtocols.flatMap((protocol) => upstreams.map((tls) => [protocol, tls] as const));

describe('a client of a TLS port', () => {
  it.each(pairs)('of %s with %s upstream is greeted inside TLS', async (protocol, upstreamTls) => {
    const rig = await open('implicit', { protocol, upstreamTls });
    const client = await rig.client().secure();
    await client.say('x1 HELLO\r\n').hear('x1 HELLO\r\n');
    client.socket.end();
    const end = await rig.end();
    const greeting = upstreamTls === 'implicit' || protocol === 'sieve' ? greetingOf(protocol) : ready;
    expect(client.text.startsWith(greeting) || client.text.includes(`${greeting} `)).toBe(true);
    expect(client.text).not.toContain(clearMark);
    expect(rig.server.heard).toBe('x1 HELLO\r\n');
    expect(end).toMatchObject({ outcome: 'relayed', clientTls: 'TLSv1.3' });
  });

  it('of any protocol over tls:// is relayed whatever ALPN it offers', async () => {
    const rig = await open('implicit', { protocol: 'tls' });
    const client = await rig.client().secure({ ALPNProtocols: ['h2'] });
    await client.say('GET / HTTP/1.1\r\n\r\n').hear('HTTP/1.1');
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
  });

  it('makes its handshake before the server is dialled', async () => {
    const rig = await open('implicit', { limits: { handshakeSeconds: 0.2 } });
    const client = await rig.client().over();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client', said: null });
    expect((await rig.end()).detail).toContain('not set to SSL/TLS');
    expect(client.text).toBe('');
    expect(rig.count('dialled')).toBe(0);
  });

  it.each([
    ['http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['plain-on-tls', 'EHLO x\r\nAUTH PLAIN AGJvYgBzZWNyZXQ=\r\n'],
  ])('that sends %s in clear is closed before the dial', async (reason, bytes) => {
    const rig = await open('implicit');
    await rig.client().say(bytes).over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason, said: null });
    expect(rig.count('dialled')).toBe(0);
  });

  it.each([
    ['imap', ['h2', 'http/1.1'], 'alpn'],
    ['smtp', ['imap'], 'alpn'],
    ['lmtp', ['lmtp'], 'alpn'],
  ] as const)('of %s that offers ALPN %j is closed: %s', async (protocol, names, reason) => {
    const rig = await open('implicit', { protocol });
    await expect(rig.client().secure({ ALPNProtocols: [...names] })).rejects.toThrow();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason });
    expect(rig.count('dialled')).toBe(0);
  });

  it.each([
    ['imap', 'imap'],
    ['pop3', 'pop3'],
    ['sieve', 'managesieve'],
  ] as const)('of %s that offers its own ALPN name is served', async (protocol, name) => {
    const rig = await open('implicit', { protocol });
    const client = await rig.client().secure({ ALPNProtocols: ['x', name] });
    await client.say('x1 HELLO\r\n').hear('x1 HELLO\r\n');
    expect(client.socket).toHaveProperty('alpnProtocol', name);
  });

  it('that talks HTTP inside TLS is reset, and the server hears nothing', async () => {
    const rig = await open('implicit');
    const client = await (await rig.client().secure()).hear('ready');
    await client.say('POST / HTTP/1.1\r\nHost: x\r\n\r\na LOGIN b c\r\n').over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'http' });
    expect(rig.server.heard).toBe('');
  });

  it('sees a break of the server as a reset, not as an end of TLS', async () => {
    const rig = await open('implicit', {
      script: [{ do: 'tls' }, { say: greetingOf('imap') }, { hear: 'x1' }, { do: 'reset' }],
    });
    const client = await (await rig.client().secure()).hear('ready');
    await client.say('x1 HELLO\r\n').over();
    expect(client).toMatchObject({ error: 'ECONNRESET', ended: false });
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'relay' });
  });

  it('sees an end of the server as an end', async () => {
    const rig = await open('implicit', {
      script: [{ do: 'tls' }, { say: greetingOf('imap') }, { hear: 'x1' }, { do: 'end' }],
    });
    const client = await (await rig.client().secure()).hear('ready');
    await client.say('x1 HELLO\r\n').over();
    expect(client).toMatchObject({ error: null, ended: true });
    client.socket.end();
    expect(await rig.end()).toMatchObject({ outcome: 'relayed' });
  });

  it('is told nothing in clear when its handshake cannot even begin', async () => {
    const rig = await open('implicit', {
      clientContext: () => {
        throw new TypeError('no certificate');
      },
    });
    const client = await rig.client().over();
    expect(client.text).toBe('');
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'internal', said: null });
  });

  it('whose TLS is older than the route allows is told so in the log', async () => {
    const context = createSecureContext({
      ciphers: 'DEFAULT:@SECLEVEL=0',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
    });
    const rig = await open('implicit');
    await expect(rig.client().secure({ secureContext: context })).rejects.toThrow();
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
    expect((await rig.end()).detail).toContain('clientTls.minVersion');
  });
});

describe('a client of a STARTTLS port', () => {
  it.each(pairs)(
    'of %s with %s upstream is greeted by us and then relayed',
    async (protocol, upstreamTls) => {
      const rig = await open('starttls', { protocol, upstreamTls });
      const client = await upgraded(rig.client(), protocol);
      // ManageSieve alone says something after STARTTLS: the server's own capabilities.
      const said = protocol === 'sieve' ? greetingOf('sieve') : '';
      await client.say('x1 HELLO\r\n').hear(`${said}x1 HELLO\r\n`);
      client.socket.end();
      const end = await rig.end();
      expect(client.text).toBe(`${said}x1 HELLO\r\n`);
      expect(rig.server.heard).toBe('x1 HELLO\r\n');
      expect(end).toMatchObject({ outcome: 'relayed', clientTls: 'TLSv1.3', basis: 'first-use' });
      expect(rig.count('greeted')).toBe(1);
    },
  );

  it.each(mailProtocols)('of %s gets nothing the server said behind its greeting lost', async (protocol) => {
    const behind = 'more of the server\r\n';
    const rig = await open('starttls', {
      protocol,
      script: [{ do: 'tls' }, { say: greetingOf(protocol) + behind }, { do: 'echo' }],
    });
    const client = await upgraded(rig.client(), protocol);
    await client.hear(behind);
    expect(client.text).toBe((protocol === 'sieve' ? greetingOf('sieve') : '') + behind);
  });

  it.each(mailProtocols)('of %s is not passed on before TLS, whatever it says', async (protocol) => {
    const rig = await open('starttls', { protocol });
    const client = await rig.client().hear(ready);
    const secrets = [
      'a LOGIN bob secret\r\n',
      'USER bob\r\n',
      'AUTH PLAIN c2VjcmV0\r\n',
      'MAIL FROM:<a@b>\r\n',
    ];
    for (const line of secrets) client.say(line);
    await upgraded(client, protocol);
    await client.say('x1 HELLO\r\n').hear('x1 HELLO\r\n');
    client.socket.end();
    await rig.end();
    expect(rig.server.heard).toBe('x1 HELLO\r\n');
  });

  const injections = ['XYZAB NOOP\r\n', 'MAIL FROM:<a@b', '\x16\x03\x01\x02\x00'];
  it.each(mailProtocols.flatMap((protocol) => injections.map((bytes) => [protocol, bytes] as const)))(
    'of %s that sends %j behind STARTTLS is cut off, answered nothing of it',
    async (protocol, bytes) => {
      const rig = await open('starttls', { protocol });
      const client = await rig.client().hear(ready);
      const greeting = client.text;
      await client.say(startTls[protocol] + bytes).over();
      expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'protocol', said: null });
      expect(client.text.slice(greeting.length)).toMatch(/^[^\n]*begin TLS now[^\n]*\r\n$|^$/);
      expect(rig.server.heard).toBe('');
    },
  );

  it.each(mailProtocols)('of %s that sends plain text after the go-ahead is cut off', async (protocol) => {
    const rig = await open('starttls', { protocol });
    const client = await rig.client().hear(ready);
    await client.say(startTls[protocol]).hear(beginTls);
    await client.say('x1 NOOP\r\nx2 LOGIN bob secret\r\n').over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', said: null });
    expect(rig.server.heard).toBe('');
  });

  it.each(['imap', 'pop3', 'smtp', 'sieve'] as const)(
    'of %s has no second STARTTLS in the list, and one it asks for all the same is the server’s to refuse',
    async (protocol) => {
      const lists: Readonly<Record<string, readonly [ask: string, list: string, seen: string]>> = {
        imap: ['b CAPABILITY\r\n', '* CAPABILITY IMAP4rev1 STARTTLS ID\r\n', '* CAPABILITY IMAP4rev1 ID\r\n'],
        pop3: ['CAPA\r\n', '+OK\r\nSTLS\r\nUSER\r\n.\r\n', '+OK\r\nUSER\r\n.\r\n'],
        smtp: ['EHLO x\r\n', '250-a\r\n250-STARTTLS\r\n250 HELP\r\n', '250-a\r\n250 HELP\r\n'],
        sieve: ['CAPABILITY\r\n', '"STARTTLS"\r\n"SASL" "LOGIN"\r\nOK\r\n', '"SASL" "LOGIN"\r\nOK\r\n'],
      };
      const [ask, list, seen] = lists[protocol] ?? ['', '', ''];
      const rig = await open('starttls', {
        protocol,
        script: [{ do: 'tls' }, { say: greetingOf(protocol) }, { hear: ask }, { say: list }, { do: 'echo' }],
      });
      const client = await upgraded(rig.client(), protocol);
      await client.say(ask).hear(seen);
      const before = client.text;
      await client.say(startTls[protocol]).hear(before + startTls[protocol]);
      expect(rig.server.heard).toBe(ask + startTls[protocol]);
    },
  );

  it.each([
    ['http', 'POST / HTTP/1.1\r\nHost: x\r\n\r\nSTARTTLS\r\n'],
    ['tls-on-plain', Buffer.from('1603010200010001fc0303', 'hex')],
  ])('that begins with %s is reset', async (reason, bytes) => {
    const rig = await open('starttls', { protocol: 'smtp' });
    await rig.client().say(bytes).over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason });
    const late = await rig.client().hear(ready);
    await late.say(bytes).over();
    expect(await rig.end(2)).toMatchObject({ outcome: 'rejected', reason });
    expect(rig.server.heard).toBe('');
  });

  it('that talks HTTP first inside TLS is reset, and the server hears nothing', async () => {
    const rig = await open('starttls');
    const client = await upgraded(rig.client(), 'imap');
    await client.say('GET / HTTP/1.1\r\n\r\n').over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'http' });
    expect(rig.server.heard).toBe('');
  });

  it('that offers another protocol by ALPN is cut off', async () => {
    const rig = await open('starttls');
    const client = await rig.client().hear(ready);
    await client.say(startTls.imap).hear(beginTls);
    await expect(client.secure({ ALPNProtocols: ['http/1.1'] })).rejects.toThrow();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'alpn' });
  });

  it.each([
    ['bare line feeds', 'a STARTTLS\n'],
    ['a NUL', 'a STARTTLS\0\r\n'],
    ['an endless line', 'x'.repeat(13_000)],
    ['too many lines', 'a NOOP\r\n'.repeat(70)],
  ])('that sends %s is cut off', async (_, bytes) => {
    const rig = await open('starttls');
    const client = await rig.client().hear(ready);
    await client.say(bytes).over();
    expect(await rig.end()).toMatchObject({ outcome: 'rejected', reason: 'protocol' });
  });

  it('that says nothing is let go after its time', async () => {
    const rig = await open('starttls', { timing: { startTlsMs: 100 } });
    const client = await rig.client().over();
    expect(client.text).toContain('STARTTLS');
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
  });

  it('that leaves politely was no failure of the server', async () => {
    const rig = await open('starttls');
    const client = await rig.client().hear(ready);
    await client.say('a LOGOUT\r\n').hear('a OK goodbye');
    expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'client' });
  });

  it('whose bytes came before the greeting is answered as if they came after', async () => {
    const rig = await open('starttls');
    const client = await rig.client().say('a CAPABILITY\r\n').hear('a OK that is all');
    await upgraded(client, 'imap');
    await client.say('x1 HELLO\r\n').hear('x1 HELLO\r\n');
    expect(rig.server.heard).toBe('x1 HELLO\r\n');
  });

  it('is not handed a login nobody made: PREAUTH is refused', async () => {
    const rig = await open('starttls', {
      script: [{ do: 'tls' }, { say: '* PREAUTH hello bob\r\n' }, { do: 'echo' }],
    });
    const client = await rig.client().hear('* BYE [ALERT]');
    expect(client.text).not.toContain('PREAUTH');
    expect(await rig.end()).toMatchObject({ outcome: 'refused', reason: 'preauth' });
    expect(rig.tofu.record(rig.endpoint)?.basis ?? 'none').toBe('none');
  });

  it.each(mailProtocols.filter((protocol) => protocol !== 'sieve'))(
    'of %s is told that a server which says no could not be reached',
    async (protocol) => {
      const rig = await open('starttls', {
        protocol,
        script: [{ do: 'tls' }, { say: negativeOf(protocol) }],
      });
      const client = rig.client();
      if (protocol === 'pop3') await client.hear('ready').then(() => client.say('USER bob\r\n'));
      await client.hear('letterlock could not reach');
      expect(await rig.end()).toMatchObject({ outcome: 'failed', reason: 'no-greeting' });
    },
  );

  it('is refused inside TLS when its trust was taken away while it made up its mind', async () => {
    const rig = await open('starttls', { protocol: 'pop3' });
    const first = await upgraded(rig.client(), 'pop3');
    await first.say('x1\r\n').hear('x1\r\n');
    const second = await rig.client().hear(ready);
    const record = rig.tofu.record(rig.endpoint);
    const spki = record?.pins[0]?.spki ?? '';
    await rig.tofu.command({ command: 'reject', endpoint: rig.endpoint, expect: spki }, { origin: 'cli' });
    await second.say('STLS\r\n').hear(beginTls);
    await second.secure();
    await second.say('USER bob\r\n').hear('-ERR [SYS/PERM] letterlock refused');
    expect(rig.server.heard).toBe('x1\r\n');
  });

  it('comes to the same end however its bytes are cut', async () => {
    const rig = await open('starttls', { protocol: 'smtp', timing: { startTlsMs: 3_000 } });
    const whole = 'EHLO x\r\nNOOP\r\nSTARTTLS\r\n';
    const answers = '250-letterlock\r\n250 STARTTLS\r\n250 2.0.0 OK\r\n220 2.0.0 begin TLS now\r\n';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 4 }), async (cuts) => {
        const client = await rig.client().hear('ready\r\n');
        const places = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        for (const [index, place] of places.slice(1).entries()) {
          client.say(whole.slice(places[index], place));
          await new Promise(setImmediate);
        }
        await client.hear('begin TLS now\r\n');
        expect(client.text).toBe(`220 letterlock ESMTP ready\r\n${answers}`);
        await client.secure();
        await client.say('x1\r\n').hear('x1\r\n');
        client.socket.destroy();
      }),
      { numRuns: 25 },
    );
  });
});

describe('a refusal on a port with TLS', () => {
  /** The server answers with another key from now on. */
  async function changed(
    mode: ClientTlsSettings['mode'],
    options: Partial<RigOptions> & { readonly protocol?: MailProtocol },
  ): Promise<Rig> {
    const { protocol = 'imap' } = options;
    const rig = await open(mode, options);
    const client = mode === 'implicit' ? await rig.client().secure() : await upgraded(rig.client(), protocol);
    await client.say('x1\r\n').hear('x1\r\n');
    client.socket.end();
    await rig.end();
    rig.server.identity = other;
    return rig;
  }

  const refusals: Readonly<Record<MailProtocol, readonly [ask: string, seen: string]>> = {
    imap: ['', '* BYE [ALERT] letterlock refused'],
    pop3: ['USER bob\r\n', '-ERR [SYS/PERM] letterlock refused'],
    smtp: ['', '421 4.7.0 letterlock refused'],
    lmtp: ['', '421 4.7.0 letterlock refused'],
    sieve: ['AUTHENTICATE "CRAM-MD5"\r\n', 'NO "letterlock refused'],
  };

  it.each(mailProtocols)('is said inside TLS to a %s client of a TLS port', async (protocol) => {
    const rig = await changed('implicit', { protocol });
    const [ask, seen] = refusals[protocol];
    const client = await rig.client().secure();
    if (ask !== '') client.say(ask);
    await client.hear(seen);
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'pin-mismatch' });
  });

  it.each(mailProtocols)('is said in clear to a %s client of a STARTTLS port', async (protocol) => {
    const rig = await changed('starttls', { protocol });
    const [ask, seen] = refusals[protocol];
    const client = rig.client();
    if (ask !== '') client.say(ask);
    await client.hear(seen);
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused', reason: 'pin-mismatch' });
  });

  it.each(['pop3', 'sieve'] as const)(
    'is said inside TLS to a %s client of a STARTTLS port that insists on TLS',
    async (protocol) => {
      const rig = await changed('starttls', { protocol });
      const [ask, seen] = refusals[protocol];
      const client = await upgraded(rig.client(), protocol);
      await client.say(ask).hear(seen);
      client.socket.end();
      const end = await rig.end(2);
      expect(end).toMatchObject({ outcome: 'refused', reason: 'pin-mismatch', clientTls: 'TLSv1.3' });
      expect(end.said).toContain('its key changed');
    },
  );

  it('is said to an IMAP login inside TLS where that style is asked for', async () => {
    const rig = await changed('starttls', { route: { refusal: 'login' } });
    const client = await upgraded(rig.client(), 'imap');
    await client.say('b LOGIN bob secret\r\n').hear('b NO [UNAVAILABLE] letterlock refused');
  });

  it('reads nothing behind STARTTLS as if it had come inside TLS', async () => {
    const rig = await changed('starttls', { protocol: 'pop3' });
    const client = await rig.client().hear(ready);
    await client.say('STLS\r\nUSER bob\r\n').hear(beginTls);
    expect(client.text).toMatch(/begin TLS now\r\n$/);
    await expect(client.secure()).rejects.toThrow();
    expect(await rig.end(2)).toMatchObject({ outcome: 'refused' });
  });
});

describe('login mechanisms', () => {
  const offered =
    '* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN] ready\r\n';
  const script: readonly Step[] = [
    { do: 'tls' },
    { say: offered },
    { hear: 'b CAPABILITY' },
    { say: `* CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=PLAIN\r\nb OK\r\n` },
  ];
  it.each([
    ['off', 'AUTH=SCRAM-SHA-256 AUTH=PLAIN'],
    ['starttls', 'AUTH=PLAIN'],
    ['implicit', 'AUTH=PLAIN'],
  ] as const)('with client TLS %s are %s', async (mode, left) => {
    const rig = await open(mode, { script });
    const client = rig.client();
    if (mode === 'implicit') await client.secure();
    if (mode === 'starttls') await upgraded(client, 'imap');
    await client.say('b CAPABILITY\r\n').hear('b OK');
    expect(client.text).toContain(`* CAPABILITY IMAP4rev1 ${left}\r\n`);
    if (mode !== 'starttls') expect(client.text).toContain(`[CAPABILITY IMAP4rev1 ${left}]`);
  });
});

describe('what is said in clear upstream', () => {
  it.each(mailProtocols)('never reaches a %s client of any kind of port', async (protocol) => {
    for (const mode of ['implicit', 'starttls'] as const) {
      const script: readonly Step[] = [
        ...prologueOf(protocol),
        { do: 'tls' },
        { say: protocol === 'sieve' ? greetingOf('sieve') : '' },
        { do: 'echo' },
      ];
      const rig = await open(mode, { protocol, upstreamTls: 'starttls', script });
      const client =
        mode === 'implicit' ? await rig.client().secure() : await upgraded(rig.client(), protocol);
      await client.say('x1\r\n').hear('x1\r\n');
      expect(client.text).not.toContain(clearMark);
    }
  });
});
