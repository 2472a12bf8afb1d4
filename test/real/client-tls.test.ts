// Real clients on TLS legs of their own: each that can, by STARTTLS and by TLS from the first byte, trusting the
// local CA and nothing else. They get and send what they do at the server itself, and when the server's key has
// changed they are refused as on a plaintext leg.

import { isUtf8 } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientPrograms, readers, senders } from '../lab/clients/all.ts';
import type { Reader, Seen, Sender, TlsMode, Where } from '../lab/clients/client.ts';
import { digests } from '../lab/digest.ts';
import { anyLogin } from '../lab/dovecot.ts';
import type { Letterlock } from '../lab/letterlock.ts';
import type { MailLab } from '../lab/mail-lab.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { startTlsLegs, type TlsLegs } from '../lab/tls-legs.ts';

type Protocol = Reader['protocol'] | Sender['protocol'];

const modes: readonly TlsMode[] = ['starttls', 'implicit'];
const protocols: readonly Protocol[] = ['imap', 'pop3', 'sieve', 'smtp', 'lmtp'];
const rows = protocols.flatMap((protocol) => modes.map((mode) => ({ protocol, mode })));
const sentence =
  /letterlock refused mail\.lab\.test: its key changed\. Nothing was sent \(#[0-9A-Z]{3}-\d+\)\. Run: letterlock explain \w{8}/;

const nameOf = (protocol: Protocol, mode: TlsMode): string => `${protocol}-${mode}`;

/** The other TLS mode upstream, so that each leg's rules meet the other's. */
function upstreamOf(
  protocol: Protocol,
  mode: TlsMode,
  { dovecot, postfix }: MailLab,
): { readonly scheme: string; readonly port: number } {
  const implicit = mode === 'starttls';
  switch (protocol) {
    case 'imap':
      return implicit
        ? { scheme: 'imaps', port: dovecot.ports.imaps }
        : { scheme: 'imap', port: dovecot.ports.imap };
    case 'pop3':
      return implicit
        ? { scheme: 'pop3s', port: dovecot.ports.pop3s }
        : { scheme: 'pop3', port: dovecot.ports.pop3 };
    case 'smtp':
      return implicit
        ? { scheme: 'submissions', port: postfix.ports.submissions }
        : { scheme: 'submission', port: postfix.ports.submission };
    case 'sieve':
      return { scheme: 'sieve', port: dovecot.ports.sieve };
    case 'lmtp':
      return { scheme: 'lmtp', port: dovecot.ports.lmtp };
  }
}

/** What both clients and servers add of their own. */
const traces = /^(?:Return-Path|X-Original-To|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*/gm;
const madeUp = /^(?:Message-I[dD]: <(?!m\d+@lab)|Date: (?!Mon, 23 Nov 2026))[^\n]*\n/gm;

const carried = (sender: Sender): readonly Buffer[] =>
  awkwardMessages()
    .map(({ bytes }) => bytes)
    .filter((bytes) => (sender.verbatim || isUtf8(bytes)) && bytes.length < 300_000)
    .slice(0, 3);

describeWith(['dovecot', 'postfix', 'openssl', ...clientPrograms], { root: true })(
  'over TLS of its own',
  () => {
    let lab: MailLab;
    let letterlock: Letterlock;
    let running: TlsLegs;
    beforeAll(async () => {
      running = await startTlsLegs(
        rows.map(({ protocol, mode }) => ({
          name: nameOf(protocol, mode),
          clientTls: mode,
          upstream: (provider) => upstreamOf(protocol, mode, provider),
        })),
      );
      ({ lab, letterlock } = running);
    });
    afterAll(() => running.stop());

    const through = (protocol: Protocol, mode: TlsMode): Where => running.through(nameOf(protocol, mode));

    /** Dovecot speaks LMTP and Sieve by STARTTLS only. */
    function direct<T>(protocol: Protocol, mode: TlsMode, work: (where: Where) => Promise<T>): Promise<T> {
      const tls = protocol === 'sieve' || protocol === 'lmtp' ? 'starttls' : mode;
      const { port } = upstreamOf(protocol, tls === 'starttls' ? 'implicit' : 'starttls', lab);
      return running.direct({ port, tls }, work);
    }

    async function delivered(sender: Sender, where: Where): Promise<readonly string[]> {
      const messages = carried(sender);
      for (const message of messages) {
        const { exit, shown } = await sender.send(where, message);
        expect(exit, shown).toBe(0);
      }
      const mailbox = sender.protocol === 'lmtp' ? lab.dovecot : lab.postfix;
      const arrived = await mailbox.collect('alice', messages.length);
      return digests(
        arrived.map((message) => {
          const text = message.toString('latin1').replace(traces, '').replace(madeUp, '');
          return Buffer.from(sender.steady?.(text) ?? text, 'latin1');
        }),
      );
    }

    describe('each client', () => {
      test.each(
        readers.flatMap((reader) => reader.modes.map((mode) => [reader.name, mode, reader] as const)),
      )('%s reads by %s what it reads at the server', async (_, mode, reader) => {
        const own = await direct(reader.protocol, mode, (where) => reader.read(where));
        expect(own.messages.length, own.shown).toBeGreaterThan(1);
        const relayed = await reader.read(through(reader.protocol, mode));
        expect(digests(relayed.messages), relayed.shown).toEqual(digests(own.messages));
        expect(relayed.exit).toBe(own.exit);
      });

      test.each(
        senders.flatMap((sender) => sender.modes.map((mode) => [sender.name, mode, sender] as const)),
      )('%s sends by %s what it sends to the server', async (_, mode, sender) => {
        const own = await direct(sender.protocol, mode, (where) => delivered(sender, where));
        expect(await delivered(sender, through(sender.protocol, mode))).toEqual(own);
      });

      test('spoke TLS to letterlock, and was trusted on the pin', () => {
        const ended = letterlock.entries('session-ended').filter((entry) => entry['outcome'] === 'relayed');
        expect(ended.length).toBeGreaterThan(20);
        expect(
          ended.map((entry) => entry['clientTls']).filter((tls) => tls !== 'TLSv1.3' && tls !== 'TLSv1.2'),
        ).toEqual([]);
      });
    });

    describe('after the key changed', () => {
      let logBefore: string;
      beforeAll(async () => {
        await lab.swap('ca2');
        logBefore = await lab.dovecot.log();
      });

      const plainMessage = awkwardMessages()[0]?.bytes ?? Buffer.alloc(0);
      const clients = [
        ...readers.map((reader) => ({ ...reader, go: (where: Where): Promise<Seen> => reader.read(where) })),
        ...senders.map((sender) => ({
          ...sender,
          go: (where: Where): Promise<Seen> => sender.send(where, plainMessage),
        })),
      ];
      test.each(
        clients.flatMap((client) => client.modes.map((mode) => [client.name, mode, client] as const)),
      )(
        '%s is refused by %s and shows what it can',
        async (_, mode, { protocol, showsRefusal, refusedExit, go }) => {
          const { exit, shown } = await go(through(protocol, mode));
          const text = shown.replaceAll(/\s+/g, ' ');
          if (showsRefusal === 'whole') expect(text).toMatch(sentence);
          if (showsRefusal === 'capitals')
            expect(text).toMatch(new RegExp(sentence.source.replace('explain', 'EXPLAIN'), 'i'));
          if (showsRefusal === 'start')
            expect(text).toMatch(/letterlock refused mail\.lab\.test: its key chang/);
          if (refusedExit !== null) expect(exit, shown).toBe(refusedExit);
        },
      );

      test('no login was tried at the server', async () => {
        const since = (await lab.dovecot.log()).slice(logBefore.length);
        expect(since, 'the server was reached at all').toContain('no auth attempts');
        expect(since).not.toMatch(anyLogin);
      });
    });

    test('the log holds no password', () => {
      expect(letterlock.output()).not.toMatch(/pass word1|AGJvYgBwYXNz|cGFzcyB3b3JkMQ/);
    });
  },
);
