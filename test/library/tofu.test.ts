// The library's face as programs use it: connections, looks, decisions of a person, and what they are told.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeCertificate, fingerprints, isVouched, TrustError, type Answer } from '../../src/index.ts';
import { openLevelStore } from '../../src/level.ts';
import { Announcer } from '../../src/library/hooks.ts';
import { FakeResolver } from '../net/fake-resolver.ts';
import { ended, heard, Opened, type RecordingServer } from './world.ts';
// Behind the world above, which loads what certificates are made with.
import { makeAuthority } from '../proxy/world.ts';

let opened: Opened;
let server: RecordingServer;
beforeEach(async () => {
  opened = new Opened();
  server = await opened.server('* OK ready\r\n');
});
afterEach(() => opened.close());

const keyOf = (): string => fingerprints(server.identity.cert).spki ?? '';

/** The refusal of a promise that must not be fulfilled. */
const refusal = async (work: Promise<unknown>): Promise<TrustError> => {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TrustError) return error;
  throw new Error(`no TrustError: ${String(error)}`);
};

describe('connect', () => {
  test('gives a socket that was vouched for, with its greeting still to be read', async () => {
    const tofu = await opened.tofu();
    const { socket, vouched, certificate } = await tofu.connect(`imaps://${server.endpoint}`);
    expect(isVouched(vouched)).toBe(true);
    expect(vouched).toMatchObject({ endpoint: server.endpoint, basis: 'first-use', spki: keyOf() });
    expect(certificate).toMatchObject({ spki: keyOf(), subject: 'CN=mail.test' });
    expect(await heard(socket, '\n')).toBe('* OK ready\r\n');
    socket.destroy();
  });

  test('refuses another key with an error that says everything', async () => {
    const refused = vi.fn();
    const candidate = vi.fn();
    const tofu = await opened.tofu({ hooks: { refused, candidate } });
    const known = keyOf();
    (await tofu.connect(`imaps://${server.endpoint}`)).socket.destroy();
    await server.changeKey();
    const error = await refusal(tofu.connect(`imaps://${server.endpoint}`));
    expect(error).toMatchObject({
      name: 'TrustError',
      code: 'pin-mismatch',
      reason: 'pin-mismatch',
      endpoint: server.endpoint,
      certificate: { spki: keyOf(), names: [{ value: 'mail.test' }, { value: '127.0.0.1' }] },
      pins: [{ spki: known, origin: 'first-use' }],
      faults: ['self-signed'],
      reference: expect.stringMatching(/^[0-9A-Z]{8}$/),
    });
    expect(error.message).toBe(
      `letterlock refused 127.0.0.1: its key changed. Nothing was sent. Run: letterlock explain ${error.reference}`,
    );
    expect(error.lines.join('\n')).toContain(`Pinned: ${known}`);
    expect(refused.mock.calls).toEqual([[error]]);
    expect(candidate.mock.calls).toEqual([
      [{ endpoint: server.endpoint, spki: keyOf(), reference: error.reference }],
    ]);
    expect(tofu.explain(error.reference ?? '')).toMatchObject({ endpoint: server.endpoint, spki: keyOf() });
    expect(server.received).toBe('');
  });

  test('wants a mail server to greet before its key is pinned', async () => {
    const rude = await opened.server('* BYE too busy\r\n');
    const tofu = await opened.tofu();
    await expect(tofu.connect(`imaps://${rude.endpoint}`)).rejects.toMatchObject({ code: 'no-greeting' });
    expect(tofu.list()).toEqual([]);
  });

  test('goes by defaults, by settings of an endpoint, and by those of a call', async () => {
    const tofu = await opened.tofu({ trust: 'ca', endpoints: { [server.endpoint]: { trust: 'pinned' } } });
    expect((await refusal(tofu.connect(`tls://${server.endpoint}`))).reason).toBe('not-pinned');
    const { vouched, socket } = await tofu.connect(server.endpoint, { pins: [keyOf()] });
    expect(vouched.basis).toBe('pin');
    socket.destroy();
    const other = await opened.server();
    expect((await refusal(tofu.connect(`tls://${other.endpoint}`))).reason).toBe('ca-invalid');
  });

  test('a CA of the program vouches where the program names it', async () => {
    const authority = await makeAuthority();
    const folder = await mkdtemp(join(tmpdir(), 'll-library-'));
    opened.also(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'ca.pem'), authority.pem);
    const signed = await opened.server('', await authority.issue());
    const tofu = await opened.tofu({ trust: 'ca', caFile: join(folder, 'ca.pem') });
    const { vouched, socket } = await tofu.connect(`tls://${signed.endpoint}`);
    expect(vouched.basis).toBe('ca');
    socket.destroy();
  });

  test.each([
    ['imaps://user@127.0.0.1', /user name/],
    ['127.0.0.1', /not an endpoint/],
    ['gopher://127.0.0.1:70', /not a scheme/],
  ])('says what is wrong with %s', async (target, message) => {
    const tofu = await opened.tofu();
    await expect(tofu.connect(target)).rejects.toThrow(message);
    await expect(tofu.connect(target)).rejects.toThrow(RangeError);
  });

  test('asks DANE where it is to, and trusts nothing that DANE does not prove', async () => {
    const asked: string[] = [];
    const resolver = await FakeResolver.open((query) => {
      asked.push(query.name);
      return {};
    });
    opened.also(() => resolver.close());
    const tofu = await opened.tofu({ trust: 'dane', resolver: `127.0.0.1:${resolver.port}` });
    const way = { address: server.endpoint };
    expect((await refusal(tofu.connect('tls://mail.test:993', way))).reason).toBe('dane-unproven');
    expect(asked).toContain('_993._tcp.mail.test');
    await expect(opened.tofu({ resolver: '192.0.2.1' })).rejects.toThrow('is not on this machine');
  });

  test('says at once that DANE was asked for and nobody could be asked', async () => {
    const tofu = await opened.tofu();
    for (const asking of [{ trust: 'dane' }, { dane: 'prefer' }] as const) {
      const told = `${server.endpoint}: DANE asks a resolver`;
      await expect(tofu.connect(`tls://${server.endpoint}`, asking)).rejects.toThrow(told);
      await expect(opened.tofu({ endpoints: { [server.endpoint]: asking } })).rejects.toThrow(told);
    }
    expect(server.connections).toBe(0);
  });

  test('leaves no default in force behind the back of who misspelt an option of a call', async () => {
    const tofu = await opened.tofu();
    // A program without types.
    const wrong = JSON.parse('{"turst": "ca"}');
    const told = 'unknown option turst; did you mean trust?';
    await expect(tofu.connect(`tls://${server.endpoint}`, wrong)).rejects.toThrow(told);
    await expect(tofu.inspect(`tls://${server.endpoint}`, wrong)).rejects.toThrow(told);
    expect(() => tofu.tlsOptions(server.endpoint, wrong)).toThrow(told);
    const late = JSON.parse('{"timeoutMS": 5}');
    await expect(tofu.connect(`tls://${server.endpoint}`, late)).rejects.toThrow('did you mean timeoutMs?');
    expect(server.connections).toBe(0);
    (await tofu.connect(`tls://${server.endpoint}`, { trust: 'tofu', timeoutMs: 5000 })).socket.destroy();
  });

  test('refuses when a revocation list that is named cannot be read', async () => {
    const tofu = await opened.tofu({ crlFile: '/nowhere.crl' });
    await expect(tofu.connect(`tls://${server.endpoint}`)).rejects.toMatchObject({ code: 'crl' });
    const socket = tofu.tlsConnect({ host: '127.0.0.1', port: server.port });
    socket.write('secret');
    expect(await ended(socket)).toMatchObject({ code: 'crl' });
    expect(server.received).toBe('');
    expect(tofu.list()).toEqual([]);
  });

  test('says what is wrong with an option', async () => {
    // A program without types.
    const wrong = JSON.parse('{"trust": "tofo"}');
    await expect(opened.tofu(wrong)).rejects.toThrow(
      'the defaults: trust is "tofo", and must be one of auto, ca',
    );
    await expect(opened.tofu({ dane: JSON.parse('"yes"') })).rejects.toThrow('dane is "yes"');
    const anchored = await opened.tofu({ continuity: 'anchor' });
    await expect(anchored.connect(server.endpoint)).rejects.toThrow(
      'continuity: anchor is for trust: ca+tofu',
    );
    await expect(opened.tofu({ pins: ['md5//x'] })).rejects.toThrow('"md5//x" is not a pin');
    await expect(opened.tofu({ caFile: '/nowhere.pem' })).rejects.toMatchObject({ code: 'anchors' });
  });

  test('does not wait for a person once its signal ended', async () => {
    const stop = new AbortController();
    const tofu = await opened.tofu({
      decide: () => {
        stop.abort(new Error('enough'));
        return new Promise<Answer>(() => undefined);
      },
    });
    await expect(tofu.connect(`tls://${server.endpoint}`, { signal: stop.signal })).rejects.toThrow('enough');
  });

  test.each([
    [{ policy: 'ca' }, 'Tofu.open: unknown option policy'],
    [{ trsut: 'ca' }, 'did you mean trust?'],
    [{ endpoints: { 'a.test:1': { pin: [] } } }, 'a.test:1: unknown option pin; did you mean pins?'],
    [{ handOver: 'yes' }, 'handOver is "yes"'],
    [{ dane: 'prefer' }, 'name one that validates'],
  ])('%j is refused at once', async (options, message) => {
    // A program without types.
    await expect(opened.tofu(JSON.parse(JSON.stringify(options)))).rejects.toThrow(message);
  });

  test('ends when its signal does, and tells what could not be reached', async () => {
    const tofu = await opened.tofu();
    await expect(
      tofu.connect(`tls://${server.endpoint}`, { signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow();
    await expect(tofu.connect('tls://127.0.0.1:1')).rejects.toMatchObject({
      name: 'DialFailure',
      code: 'dial',
    });
  });
});

describe('inspect', () => {
  test('tells what a server shows and what each policy would say, and learns nothing', async () => {
    const refused = vi.fn();
    const tofu = await opened.tofu({ hooks: { refused }, firstUse: 'refuse' });
    const seen = await tofu.inspect(`imaps://${server.endpoint}`);
    expect(seen).toMatchObject({
      endpoint: server.endpoint,
      caValid: false,
      faults: ['self-signed'],
      chain: [{ spki: keyOf() }],
      verdict: { accept: false, reason: 'first-use-off' },
      verdicts: {
        ca: { accept: false, reason: 'ca-invalid' },
        pinned: { accept: false, reason: 'not-pinned' },
      },
    });
    expect(tofu.list()).toEqual([]);
    expect(refused).not.toHaveBeenCalled();
  });
});

/** A person who always answers so. */
const asked = (answer: Answer | Promise<Answer>) => vi.fn((_refused: TrustError) => answer);

describe('decide', () => {
  test('asks a person about a new key, and pins what was approved', async () => {
    const decide = asked('approve');
    const tofu = await opened.tofu({ decide });
    const { vouched, socket } = await tofu.connect(`tls://${server.endpoint}`);
    expect(vouched.basis).toBe('pin');
    socket.destroy();
    expect(decide.mock.calls).toMatchObject([[{ reason: 'first-use-held', certificate: { spki: keyOf() } }]]);
    expect(tofu.list()).toMatchObject([{ pins: [{ spki: keyOf(), origin: 'approved' }] }]);
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    expect(decide).toHaveBeenCalledTimes(1);
  });

  test('asks about a changed key; the old one ends when the person says so', async () => {
    const decide = asked({ answer: 'approve', endOld: true });
    const tofu = await opened.tofu({ decide });
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    const old = keyOf();
    await server.changeKey();
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    expect(decide.mock.calls.map(([{ reason }]) => reason)).toEqual(['first-use-held', 'pin-mismatch']);
    expect(tofu.list()[0]?.pins.filter(({ live }) => live)).toMatchObject([{ spki: keyOf() }]);
    expect(tofu.list()[0]?.pins).toContainEqual(expect.objectContaining({ spki: old, live: false }));
  });

  test('nothing is trusted on no, on never, on an answer that is none, or when the question fails', async () => {
    const misspelt = JSON.parse('{"answer": "approve", "endold": true}');
    for (const answer of ['refuse', 'reject', JSON.parse('"yes"'), JSON.parse('null'), misspelt]) {
      const tofu = await opened.tofu({ decide: asked(answer) });
      await refusal(tofu.connect(`tls://${server.endpoint}`));
      expect(tofu.list()[0]?.pins).toEqual([]);
      expect(tofu.list()[0]?.rejected).toEqual(answer === 'reject' ? [keyOf()] : []);
    }
    const broken = await opened.tofu({ decide: () => Promise.reject(new Error('no window')) });
    expect((await refusal(broken.connect(`tls://${server.endpoint}`))).cause).toMatchObject({
      message: 'no window',
    });
    expect(server.received).toBe('');
  });

  test('asks once for a key, however many connections wait', async () => {
    const answers: ((given: Answer) => void)[] = [];
    const decide = asked(new Promise<Answer>((resolve) => answers.push(resolve)));
    const tofu = await opened.tofu({ decide });
    const all = [1, 2, 3].map(() => tofu.connect(`tls://${server.endpoint}`));
    await vi.waitFor(() => expect(server.connections).toBe(3));
    answers[0]?.('approve');
    for (const { socket } of await Promise.all(all)) socket.destroy();
    expect(decide).toHaveBeenCalledTimes(1);
  });

  test('never asks about a key that was rejected', async () => {
    const decide = asked('approve');
    const tofu = await opened.tofu({ decide });
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    await tofu.reject(server.endpoint, { expect: keyOf() });
    expect((await refusal(tofu.connect(`tls://${server.endpoint}`))).reason).toBe('key-rejected');
    expect(decide).toHaveBeenCalledTimes(1);
  });
});

describe('what is remembered', () => {
  test('outlives the process in a store on disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'll-library-'));
    opened.also(() => rm(directory, { recursive: true }));
    for (const basis of ['first-use', 'pin']) {
      const store = await openLevelStore({ directory });
      const tofu = await opened.tofu({ store });
      const { vouched, socket } = await tofu.connect(`tls://${server.endpoint}`);
      expect(vouched.basis).toBe(basis);
      socket.destroy();
      await tofu.close();
      await store.close();
    }
  });

  test('is changed by commands alone: add, approve, forget, undo', async () => {
    const tofu = await opened.tofu({ trust: 'pinned' });
    await tofu.add(server.endpoint, { pin: keyOf() });
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    await tofu.forget(server.endpoint, { expect: keyOf() });
    const error = await refusal(tofu.connect(`tls://${server.endpoint}`));
    expect(error.reason).toBe('not-pinned');
    await tofu.approve(server.endpoint, { expect: keyOf() });
    (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
    await tofu.undo(server.endpoint);
    await refusal(tofu.connect(`tls://${server.endpoint}`));
    await expect(tofu.approve(server.endpoint, { expect: 'AB:CD' })).rejects.toMatchObject({ exit: 'usage' });
    await expect(tofu.forget('nowhere.test:1', { yes: true })).rejects.toMatchObject({ exit: 'not-found' });
    // A program without types: `endold` would leave the other keys trusted.
    const wrong = JSON.parse(`{"expect": "${keyOf()}", "endold": true}`);
    await expect(tofu.approve(server.endpoint, wrong)).rejects.toThrow('did you mean endOld?');
  });
});

test('a key that was handed over to is a pin, and a hook hears of it as of any other', () => {
  const pinned = vi.fn();
  const announcer = new Announcer({ pinned });
  const told = { endpoint: server.endpoint, spki: keyOf(), origin: 'proxy', detail: '' } as const;
  for (const event of ['handed-over', 'retired', 'promoted'] as const)
    announcer.engine({ type: 'pin-changed', event, ...told });
  expect(pinned.mock.calls).toEqual([[{ endpoint: server.endpoint, spki: keyOf(), how: 'handed-over' }]]);
});

test('a hook that fails harms nobody and is told of', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const tofu = await opened.tofu({
    hooks: {
      pinned: () => {
        throw new Error('one');
      },
      connected: () => Promise.reject(new Error('two')),
    },
  });
  (await tofu.connect(`tls://${server.endpoint}`)).socket.destroy();
  await vi.waitFor(() => expect(warned).toHaveBeenCalledTimes(2));
  expect(warned.mock.calls.map(([message]) => message)).toEqual([
    'the hook pinned failed: one',
    'the hook connected failed: two',
  ]);
  warned.mockRestore();
});

test('a certificate is described by itself, from PEM, DER and nonsense', () => {
  const described = describeCertificate(server.identity.cert);
  expect(described).toMatchObject({ spki: keyOf(), subject: 'CN=mail.test', faults: ['self-signed'] });
  expect(describeCertificate(Buffer.from(described.pem.replaceAll(/-.*-|\s/g, ''), 'base64'))).toEqual(
    described,
  );
  expect(() => describeCertificate('nothing')).toThrow(RangeError);
});
