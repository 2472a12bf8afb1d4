// Refusals and failures: that not a byte of the client reached anybody, and what the client was told.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { clearMark, clears, honest, mailProtocols, negativeOf, prologueOf } from './scripts.ts';
import { keyOf, makeAuthority, Rig, type RigOptions, type Step } from './world.ts';

let directory: string;
let own: Identity;
let anchors: AnchorSet;
const rigs: Rig[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'letterlock-proxy-'));
  await writeFile(join(directory, 'ca.pem'), (await makeAuthority()).pem);
  anchors = await loadAnchors([join(directory, 'ca.pem')]);
  own = await selfSigned();
});
afterAll(() => rm(directory, { recursive: true }));
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close();
});

const notPinned = { policy: 'pinned', firstUse: 'accept', configPins: [] } as const;

async function open(options: Partial<RigOptions> = {}): Promise<Rig> {
  const { protocol = 'imap', upstreamTls = 'implicit' } = options;
  const rig = await Rig.open({ identity: own, anchors, script: honest(protocol, upstreamTls), ...options });
  rigs.push(rig);
  return rig;
}

/** A rig whose server's key is refused. */
const refusing = (options: Partial<RigOptions> = {}): Promise<Rig> =>
  open({ ...options, route: { ...options.route, trust: notPinned } });

/** What a careless client of each protocol sends without waiting for anything. */
const secrets: Readonly<Record<Protocol, string>> = {
  imap: 'a1 LOGIN bob SECRET\r\n',
  pop3: 'USER bob\r\nPASS SECRET\r\n',
  smtp: 'EHLO x\r\nAUTH PLAIN U0VDUkVU\r\n',
  lmtp: 'LHLO x\r\nMAIL FROM:<SECRET>\r\n',
  sieve: 'AUTHENTICATE "PLAIN" "U0VDUkVU"\r\n',
  tls: 'SECRET',
};
/** For dialogues that the test itself ends. */
const patient = { farewellMs: 10_000, smtpFarewellMs: 10_000 };
const secret = /SECRET|U0VDUkVU/;

interface Row {
  readonly what: string;
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
  readonly script: readonly Step[];
  readonly outcome: 'refused' | 'failed';
  readonly reason: string;
}

const tls: Step = { do: 'tls' };
const keyRefused: readonly Row[] = [
  ...mailProtocols.map((protocol) => ({ protocol, upstreamTls: 'implicit' as const })),
  ...mailProtocols.map((protocol) => ({ protocol, upstreamTls: 'starttls' as const })),
  { protocol: 'tls' as const, upstreamTls: 'implicit' as const },
].map(({ protocol, upstreamTls }) => ({
  what: 'a key that is not pinned',
  protocol,
  upstreamTls,
  script: honest(protocol, upstreamTls),
  outcome: 'refused',
  reason: 'not-pinned',
}));

const without = (list: string): string => list.replace(/^.*ST(?:ARTT)?LS.*\r\n/m, '');

const refusals: Readonly<Record<(typeof mailProtocols)[number], string>> = {
  imap: 'z2 NO not now\r\n',
  pop3: '-ERR not now\r\n',
  smtp: '454 not now\r\n',
  lmtp: '454 not now\r\n',
  sieve: 'NO "not now"\r\n',
};

const prologueRefused: readonly Row[] = mailProtocols.flatMap((protocol) => {
  const row = { protocol, upstreamTls: 'starttls' as const, outcome: 'refused' as const };
  const { goAhead, list } = clears[protocol];
  const stripped = protocol === 'smtp' || protocol === 'lmtp' ? `250 ${clearMark}\r\n` : without(list);
  return [
    {
      ...row,
      what: 'no STARTTLS on offer',
      reason: 'starttls-missing',
      script: prologueOf(protocol, { list: stripped }),
    },
    {
      ...row,
      what: 'STARTTLS refused',
      reason: 'starttls-refused',
      script: prologueOf(protocol, { goAhead: refusals[protocol] }),
    },
    {
      ...row,
      what: 'a line after the go-ahead',
      reason: 'injected-bytes',
      script: [...prologueOf(protocol, { goAhead: `${goAhead}250 AUTH PLAIN\r\n` }), tls],
    },
    {
      ...row,
      what: 'half a line after the go-ahead',
      reason: 'injected-bytes',
      script: [...prologueOf(protocol, { goAhead: `${goAhead}+` }), tls],
    },
    {
      ...row,
      what: 'another protocol in clear',
      reason: 'not-this-protocol',
      script: [{ say: 'SSH-2.0-OpenSSH_9.2\r\n' }],
    },
  ];
});

const failed: readonly Row[] = [
  ...mailProtocols.map((protocol) => ({
    what: 'a negative greeting in clear',
    protocol,
    upstreamTls: 'starttls' as const,
    script: [{ say: negativeOf(protocol) }, { do: 'end' } as const],
    outcome: 'failed' as const,
    reason: 'no-greeting',
  })),
  {
    what: 'a close instead of a handshake',
    protocol: 'imap',
    upstreamTls: 'implicit',
    script: [{ do: 'end' }],
    outcome: 'failed',
    reason: 'tls-failed',
  },
  {
    what: 'plaintext instead of a handshake',
    protocol: 'imap',
    upstreamTls: 'implicit',
    script: [{ say: `* OK ${clearMark}\r\n` }],
    outcome: 'failed',
    reason: 'tls-failed',
  },
  {
    what: 'bytes between go-ahead and handshake',
    protocol: 'smtp',
    upstreamTls: 'starttls',
    script: [
      ...prologueOf('smtp'),
      { wait: new Promise((resolve) => setTimeout(resolve, 20)) },
      { say: '250 AUTH PLAIN\r\n' },
    ],
    outcome: 'failed',
    reason: 'tls-failed',
  },
];

const preauth: Row = {
  what: 'PREAUTH in clear',
  protocol: 'imap',
  upstreamTls: 'starttls',
  script: [{ say: '* PREAUTH hello\r\n' }],
  outcome: 'refused',
  reason: 'preauth',
};

describe('nothing of the client reaches the server', () => {
  it.each([...keyRefused, ...prologueRefused, ...failed, preauth])(
    'for $what ($protocol, $upstreamTls): $reason',
    async ({ protocol, upstreamTls, script, outcome, reason }) => {
      const route = outcome === 'refused' && reason === 'not-pinned' ? { trust: notPinned } : {};
      const rig = await open({ protocol, upstreamTls, script, route });
      const client = await rig.client().say(secrets[protocol]).over();
      expect(await rig.end()).toMatchObject({ outcome, reason, basis: null, bytesUp: 0, bytesDown: 0 });
      for (const visit of rig.server.visits) {
        expect(visit.secured.toString('latin1')).toBe('');
        expect(visit.clear.toString('latin1')).not.toMatch(secret);
      }
      expect(rig.server.visits).toHaveLength(1);
      expect(client.text).not.toContain(clearMark);
      expect(client.text).not.toContain('server ready');
      expect(JSON.stringify(rig.events)).not.toMatch(secret);
    },
  );
});

/** A store on a slow disk: a commit takes many turns of the event loop. */
function slowStore(): PinStore {
  const store = openMemoryStore();
  const commit = store.commit.bind(store);
  store.commit = async (changes) => {
    for (let turn = 0; turn < 2_000; turn += 1) await new Promise(setImmediate);
    return commit(changes);
  };
  return store;
}

describe('a refusal is said in the client’s protocol', () => {
  const start = 'letterlock refused 127.0.0.1: its key is not among the pinned ones. Nothing was sent (#';
  const said = `${start.replace('(', '\\(')}[0-9A-Z]{3}-\\d+\\)\\. Run: letterlock explain `;

  it('as an IMAP BYE with an alert', async () => {
    const rig = await refusing();
    const client = await rig.client().over();
    expect(client.text).toMatch(new RegExp(`^\\* BYE \\[ALERT\\] ${said}[0-9A-Z]{8}\r\n$`));
  });

  it('as an answer to an IMAP login, where the route says so', async () => {
    const rig = await refusing({ route: { refusal: 'login' }, timing: patient });
    const client = await rig.client().hear('* OK [ALERT]');
    await client.say('a1 LOGIN bob SECRET\r\n').hear('a1 NO [UNAVAILABLE] letterlock refused');
    expect(rig.server.heard).toBe('');
  });

  it('as an answer to a POP3 USER, also one sent too early', async () => {
    const rig = await refusing({ protocol: 'pop3' });
    const client = await rig.client().say('USER bob\r\n').hear('-ERR');
    expect(client.text).toMatch(new RegExp(`^\\+OK [^\r\n]*\r\n-ERR \\[SYS/PERM\\] ${said}`));
  });

  it.each([
    [421, '421 4.7.0 '],
    [554, '554 5.7.0 '],
  ] as const)('as an SMTP greeting of %s', async (refusalCode, code) => {
    const rig = await refusing({ protocol: 'smtp', route: { refusalCode }, timing: patient });
    const client = await rig.client().hear('\r\n');
    expect(client.text.startsWith(`${code}${start}`)).toBe(true);
    await client.say('QUIT\r\n').hear('221 ');
  });

  it('as an answer to a ManageSieve AUTHENTICATE', async () => {
    const rig = await refusing({ protocol: 'sieve', timing: patient });
    const client = await rig.client().hear('OK');
    await client.say('AUTHENTICATE "CRAM-MD5"\r\n').hear(`NO "${start}`);
    expect(client.text).not.toContain('PLAIN');
  });

  it('as a reset over tls://', async () => {
    const rig = await refusing({ protocol: 'tls' });
    const client = await rig.client().over();
    expect(client).toMatchObject({ text: '', error: 'ECONNRESET' });
    expect(await rig.end()).toMatchObject({ said: null });
  });

  it('only once its reference can be looked up, however slow the store is', async () => {
    const rig = await refusing({ store: slowStore() });
    const client = await rig.client().over();
    const reference = client.text.match(/explain ([0-9A-Z]{8})/)?.[1] ?? '';
    expect(rig.tofu.byReference(reference)).toEqual({ endpoint: rig.endpoint, spki: keyOf(own) });
  });

  it.each(['pop3', 'sieve'] as const)(
    'and is not claimed to have been said to a %s client that left first',
    async (protocol) => {
      const rig = await refusing({ protocol, timing: patient });
      const client = await rig.client().hear('ready');
      client.socket.destroy();
      expect(await rig.end()).toMatchObject({ outcome: 'refused', said: null });
      expect(client.text).not.toContain('refused');
    },
  );

  it('and the client is cut off when it does not go by itself', async () => {
    const rig = await refusing({ protocol: 'pop3', timing: { farewellMs: 50, lingerMs: 20 } });
    const client = await rig.client().over();
    client.socket.resume();
    expect(await rig.end()).toMatchObject({ outcome: 'refused' });
  });

  it('and the server’s connection does not outlive the decision', async () => {
    const rig = await refusing({ protocol: 'pop3', timing: patient });
    await rig.client().hear('+OK');
    while (rig.server.visits[0]?.ended !== true) await new Promise(setImmediate);
    expect(rig.ends).toHaveLength(0);
  });
});

describe('a failure is said in temporary form', () => {
  it.each([
    ['imap', /^\* BYE letterlock could not reach 127\.0\.0\.1: no connection could be made/],
    ['smtp', /^421 4\.4\.1 letterlock could not reach/],
    ['lmtp', /^421 4\.4\.1 letterlock could not reach/],
    ['pop3', /-ERR \[SYS\/TEMP\] letterlock could not reach/],
    ['sieve', /NO .*letterlock could not reach/],
  ] as const)('over %s', async (protocol, expected) => {
    const rig = await open({ protocol });
    rig.server.close();
    const client = rig.client().say(secrets[protocol]);
    await rig.end();
    expect(client.text).toMatch(expected);
    expect(rig.ends[0]).toMatchObject({ outcome: 'failed', reason: 'dial', detail: 'ECONNREFUSED' });
    expect(rig.events).toContainEqual(expect.objectContaining({ type: 'dialled', result: 'refused' }));
  });

  it('and is not remembered: the next client dials again', async () => {
    const rig = await open({ script: [{ do: 'end' }] });
    await rig.client().over();
    await rig.client().over();
    await rig.end(2);
    expect(rig.server.visits).toHaveLength(2);
  });
});

describe('the refusal hold', () => {
  it('answers a burst from memory and dials once', async () => {
    const rig = await refusing();
    const first = await rig.client().over();
    const others = await Promise.all(Array.from({ length: 20 }, () => rig.client().over()));
    const ids = [first, ...others].map(({ text }) => /\(#(.*?)\)/.exec(text)?.[1]);
    for (const client of others)
      expect(client.text.replace(/#.*?\)/, '')).toBe(first.text.replace(/#.*?\)/, ''));
    expect(rig.server.visits).toHaveLength(1);
    await rig.end(21);
    expect(
      new Set(rig.ends.map(({ outcome, reason, reference }) => `${outcome} ${reason} ${reference}`)).size,
    ).toBe(1);
    // What is answered from memory is still this connection's own answer, and its line of the log is found by it.
    expect(new Set(ids).size).toBe(21);
    expect(new Set(rig.ends.map(({ session }) => session))).toEqual(new Set(ids));
    expect(rig.count('judged')).toBe(1);
  });

  it('dials again when its time is over', async () => {
    const rig = await refusing();
    await rig.client().over();
    rig.clock.ahead += 2_500;
    await rig.client().over();
    expect(rig.server.visits).toHaveLength(2);
  });

  it('is over as soon as the key is trusted', async () => {
    const rig = await refusing();
    await rig.client().over();
    await rig.tofu.command(
      { command: 'add', endpoint: rig.endpoint, pin: keyOf(own), forMs: null, unreject: false },
      { origin: 'cli' },
    );
    await rig.client().hear('server ready');
    expect(rig.server.visits).toHaveLength(2);
  });

  it('is over after a reload', async () => {
    const rig = await refusing();
    await rig.client().over();
    await rig.proxy.replace([rig.route]);
    await rig.client().over();
    expect(rig.server.visits).toHaveLength(2);
  });

  it('holds for refusals from before TLS too', async () => {
    const rig = await open({ upstreamTls: 'starttls', script: [{ say: '* PREAUTH hello\r\n' }] });
    await rig.client().over();
    await rig.client().over();
    expect(rig.server.visits).toHaveLength(1);
  });
});

describe('delayed farewells', () => {
  it('are eight a route; the ninth is said at once', async () => {
    const rig = await refusing({ timing: { farewellDelayMs: 60_000, farewellMs: 61_000 } });
    const delayed = Array.from({ length: 8 }, () => rig.client());
    await rig.until(() => rig.count('session-started') === 8);
    await rig.until(() => rig.count('judged') >= 1);
    await new Promise(setImmediate);
    const ninth = await rig.client().over();
    expect(ninth.text).toContain('* BYE');
    expect(delayed.map(({ text }) => text)).toEqual(Array.from({ length: 8 }, () => ''));
  });

  it('end when the client goes', async () => {
    const rig = await refusing({ timing: { farewellDelayMs: 60_000, farewellMs: 61_000 } });
    const client = rig.client();
    await rig.until(() => rig.count('judged') === 1);
    client.socket.destroy();
    expect(await rig.end()).toMatchObject({ outcome: 'refused' });
  });
});
