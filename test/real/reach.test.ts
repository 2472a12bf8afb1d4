// Real mail through real proxies, and from a second real server when the first one is gone.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { endpointOf } from '../../src/endpoint.ts';
import { loadAnchors, type AnchorSet } from '../../src/net/anchors.ts';
import { Proxy } from '../../src/proxy/proxy.ts';
import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { Route, Target, Via } from '../../src/proxy/route.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import { Tofu } from '../../src/tofu.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import type { Variant } from '../lab/certificates.ts';
import { curlImap } from '../lab/clients/curl.ts';
import type { Fetched } from '../lab/clients/client.ts';
import { imaplib } from '../lab/clients/python.ts';
import { digests } from '../lab/digest.ts';
import { serverHost } from '../lab/dovecot.ts';
import { openForward } from '../lab/forward.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { startMicrosocks, startTinyproxy, type LabProxy } from '../lab/proxies.ts';
import { derOf } from '../net/peers.ts';
import { plainRoute, testLimits } from '../proxy/route.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Running {
  readonly port: number;
  readonly events: readonly ProxyEvent[];
  readonly tofu: Tofu;
}

async function running(part: Partial<Route>, anchors: AnchorSet): Promise<Running> {
  const events: ProxyEvent[] = [];
  const on = (event: ProxyEvent): void => void events.push(event);
  const now = Date.now;
  const tofu = await Tofu.open({ store: openMemoryStore(), secret: randomBytes(32), now, builtAt: 0, on });
  const route = { ...plainRoute, limits: { ...testLimits, dialSeconds: 10 }, ...part };
  const proxy = new Proxy({ routes: [route], tofu, anchorsFor: () => anchors, on, now });
  await proxy.start();
  closing.push(async () => {
    await proxy.drain(0);
    await tofu.close();
  });
  return { port: proxy.status()[0]?.port ?? 0, events, tofu };
}

const endOf = ({ events }: Running): Extract<ProxyEvent, { type: 'session-ended' }> | undefined =>
  events.filter((event) => event.type === 'session-ended').at(-1);

const read = (reader: typeof imaplib, port: number): Promise<Fetched> =>
  reader.read({ host: '127.0.0.1', port, tls: 'none', caFile: '' });

const login = { user: 'proxy user', password: 'p:a%ss/word' };
const plainLogin = { user: 'bob', password: 'secret' };

const targetOf = (server: MailLab, service: 'imap' | 'imaps', name = 'mail.lab.test'): Target => ({
  endpoint: endpointOf(name, service === 'imap' ? 143 : 993),
  upstream: `${service}://${name}`,
  addresses: [{ host: serverHost, port: server.dovecot.ports[service] }],
  anchors: [],
  trust: { policy: 'tofu', firstUse: 'accept', configPins: [] },
});

const keyOf = async (server: MailLab, variant: Variant): Promise<string | null> =>
  spkiOfCertificate(
    derOf({ cert: await readFile(join(server.certificates, `${variant}.crt`), 'utf8'), key: '' }),
  );

describeWith(['dovecot', 'openssl', 'microsocks', 'tinyproxy', 'python3', 'curl'], { root: false })(
  'reach',
  () => {
    let lab: MailLab;
    let standIn: MailLab;
    let none: AnchorSet;
    let expected: readonly string[];
    beforeAll(async () => {
      none = await loadAnchors([]);
      [lab, standIn] = await Promise.all([
        startMailLab({ variant: 'self1', seeded: true, postfix: false }),
        startMailLab({ variant: 'self2', seeded: true, postfix: false }),
      ]);
      const plain = await running(targetOf(lab, 'imaps'), none);
      expected = digests((await read(imaplib, plain.port)).messages);
      expect(expected.length).toBeGreaterThan(3);
    });
    afterAll(() => Promise.all([lab.stop(), standIn.stop()]));

    describe.each([
      ['microsocks', () => startMicrosocks(null)],
      ['microsocks with a login', () => startMicrosocks(login)],
      ['tinyproxy', () => startTinyproxy(null)],
      ['tinyproxy with a login', () => startTinyproxy(plainLogin)],
    ] as const)('through %s', (_, started) => {
      let proxy: LabProxy;
      beforeAll(async () => {
        proxy = await started();
      });
      afterAll(() => proxy.stop());

      test.each(['imap', 'imaps'] as const)('real clients read the same mail: %s', async (service) => {
        const upstreamTls = service === 'imap' ? 'starttls' : 'implicit';
        const way = await running({ ...targetOf(lab, service), upstreamTls, via: proxy.via }, none);
        for (const reader of [imaplib, curlImap]) {
          const { messages, shown } = await read(reader, way.port);
          expect(digests(messages), shown).toEqual(expected);
          expect(endOf(way)).toMatchObject({
            outcome: 'relayed',
            endpoint: `mail.lab.test:${service === 'imap' ? 143 : 993}`,
          });
        }
      });

      test('a name is looked up by the proxy', async () => {
        const forward = await openForward({ host: serverHost, port: lab.dovecot.ports.imaps });
        closing.push(() => forward.close());
        const endpoint = endpointOf('localhost', forward.port);
        const way = await running(
          { ...targetOf(lab, 'imaps'), endpoint, addresses: [], via: proxy.via },
          none,
        );
        const { messages, shown } = await read(imaplib, way.port);
        expect(digests(messages), shown).toEqual(expected);
      });

      test('a server that is not there is a failure of the dial, and the second one steps in', async () => {
        const gone = {
          ...targetOf(lab, 'imaps', 'gone.lab.test'),
          addresses: [{ host: serverHost, port: 1 }],
        };
        const alone = await running({ ...gone, via: proxy.via }, none);
        expect((await read(imaplib, alone.port)).shown).toContain(
          'could not reach gone.lab.test: no connection could be made',
        );
        expect(endOf(alone)?.detail).toMatch(
          /^(?:socks5|http) proxy 127\.0\.0\.1:\d+: (?:connection refused|5\d\d)/,
        );
        const way = await running({ ...gone, others: [targetOf(lab, 'imaps')], via: proxy.via }, none);
        const { messages, shown } = await read(imaplib, way.port);
        expect(digests(messages), shown).toEqual(expected);
        expect(endOf(way)).toMatchObject({ endpoint: 'mail.lab.test:993' });
      });
    });

    test.each([
      [
        'microsocks',
        () => startMicrosocks(login),
        /it takes none of the ways to log in|did not accept the login/,
        /it asks for a login/,
      ],
      [
        'tinyproxy',
        () => startTinyproxy(plainLogin),
        /it did not accept the login|40[137]/,
        /it asks for a login|40[137]/,
      ],
    ] as const)(
      '%s with a wrong login, and with none, is told apart in the log',
      async (_, started, wrong, missing) => {
        const proxy = await started();
        closing.push(() => proxy.stop());
        const { via } = proxy;
        for (const [used, expectation] of [
          [{ user: 'bob', password: 'not-this-one' }, wrong],
          [null, missing],
        ] as const) {
          const bad: Via = { ...via, login: used };
          const way = await running({ ...targetOf(lab, 'imaps'), via: bad }, none);
          const { shown } = await read(imaplib, way.port);
          expect(shown).toContain('could not reach mail.lab.test: no connection could be made');
          expect(endOf(way)?.detail).toMatch(expectation);
          expect(JSON.stringify(way.events)).not.toMatch(/not-this-one|secret/);
        }
      },
    );

    test('mail goes on through the second server when the first stops, under its own pin; another key there is refused', async () => {
      const first = await startMailLab({ variant: 'self1', seeded: true, postfix: false });
      let stopped = false;
      closing.push(() => (stopped ? undefined : first.stop()));
      const others = [targetOf(standIn, 'imaps', 'second.lab.test')];
      const way = await running({ ...targetOf(first, 'imaps', 'first.lab.test'), others }, none);
      const before = await read(imaplib, way.port);
      expect(digests(before.messages), before.shown).toEqual(expected);
      expect(endOf(way)).toMatchObject({ endpoint: 'first.lab.test:993', basis: 'first-use' });

      await first.stop();
      stopped = true;
      for (const basis of ['first-use', 'pin']) {
        const { messages, shown } = await read(imaplib, way.port);
        expect(digests(messages), shown).toEqual(expected);
        expect(endOf(way)).toMatchObject({
          endpoint: 'second.lab.test:993',
          basis,
          spki: await keyOf(standIn, 'self2'),
        });
      }

      await standIn.swap('self1');
      closing.push(() => standIn.swap('self2'));
      const { shown } = await read(imaplib, way.port);
      expect(shown).toContain('letterlock refused second.lab.test: its key changed. Nothing was sent (#');
      expect(endOf(way)).toMatchObject({
        outcome: 'refused',
        reason: 'pin-mismatch',
        endpoint: 'second.lab.test:993',
      });
    });
  },
);
