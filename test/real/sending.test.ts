// Real clients send awkward mail to a real Postfix and Dovecot through letterlock; what arrives is byte for
// byte what arrives when they send it themselves over TLS they verify themselves.

import { isUtf8 } from 'node:buffer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { clientPrograms, senders } from '../lab/clients/all.ts';
import type { Sender, Where } from '../lab/clients/client.ts';
import { digests } from '../lab/digest.ts';
import { openForward } from '../lab/forward.ts';
import { awkwardMessages } from '../lab/messages.ts';
import { describeWith } from '../lab/needs.ts';
import { sendingWays, startProviders, type Providers, type Way } from '../lab/providers.ts';

// Lines that servers add, and that clients make up for a message that lacks them.
const traces = /^(?:Return-Path|X-Original-To|Delivered-To|Received):[^\n]*\n(?:[ \t][^\n]*\n)*/gm;
const madeUp = /^(?:Message-I[dD]: <(?!m\d+@lab)|Date: (?!Mon, 23 Nov 2026))[^\n]*\n/gm;

/** Whether a server of this scheme takes the TLS the client does without letterlock. */
const isFor = ({ alone }: Sender, scheme: string): boolean => (alone === 'implicit') === scheme.endsWith('s');

function asSent(sender: Sender, message: Buffer): Buffer {
  const text = message.toString('latin1').replace(traces, '').replace(madeUp, '');
  return Buffer.from(sender.steady?.(text) ?? text, 'latin1');
}

describeWith(['dovecot', 'postfix', 'openssl', ...clientPrograms], { root: true })(
  'through letterlock',
  () => {
    let providers: Providers;
    beforeAll(async () => {
      providers = await startProviders(sendingWays, { seeded: false, postfix: true });
    });
    afterAll(() => providers.stop());
    beforeEach(async () => {
      for (const lab of [providers.signed, providers.selfSigned])
        await Promise.all([lab.dovecot.discard('alice'), lab.postfix.discard('alice')]);
    });

    /** Sends every message the client can carry and takes out what arrived at the way's provider. */
    async function delivered(
      sender: Sender,
      { way, where }: { readonly way: Way; readonly where: Where },
    ): Promise<readonly string[]> {
      const { verbatim, atMostBytes = Infinity } = sender;
      const messages = awkwardMessages().filter(
        ({ bytes }) => (verbatim || isUtf8(bytes)) && bytes.length <= atMostBytes,
      );
      for (const { what, bytes } of messages) {
        const { exit, shown } = await sender.send(where, bytes);
        expect({ way: way.name, what, exit }, shown).toEqual({ way: way.name, what, exit: 0 });
      }
      const lab = providers[way.provider];
      const mailbox = way.protocol === 'lmtp' ? lab.dovecot : lab.postfix;
      const arrived = await mailbox.collect('alice', messages.length);
      return digests(arrived.map((message) => asSent(sender, message)));
    }

    /** The client without letterlock, to the server of `way`. */
    async function direct(sender: Sender, way: Way): Promise<readonly string[]> {
      const { caFile } = providers.signed;
      const forward = await openForward(providers.serverOf(way));
      try {
        return await delivered(sender, {
          way,
          where: { host: 'localhost', port: forward.port, tls: sender.alone, caFile },
        });
      } finally {
        await forward.close();
      }
    }

    test.each(senders.map((sender) => [sender.name, sender] as const))(
      '%s delivers what it delivers without',
      async (_, sender) => {
        const ways = sendingWays.filter(({ protocol }) => protocol === sender.protocol);
        const first = ways.find(({ provider, scheme }) => provider === 'signed' && isFor(sender, scheme));
        if (first === undefined) throw new Error('no way to send directly');
        const plain = await direct(sender, first);
        for (const way of ways) {
          const where: Where = { host: '127.0.0.1', port: providers.portOf(way), tls: 'none', caFile: '' };
          expect({ way: way.name, messages: await delivered(sender, { way, where }) }).toEqual({
            way: way.name,
            messages: plain,
          });
        }
      },
    );

    test('the log holds no password', () => {
      expect(providers.letterlock.entries('session-ended').length).toBeGreaterThan(0);
      expect(providers.letterlock.output()).not.toMatch(/pass word1|AGJvYgBwYXNz|cGFzcyB3b3JkMQ/);
    });
  },
);
