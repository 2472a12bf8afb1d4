// A real server goes through the lives of a certificate, and letterlock says at each step whether it is still
// the same server. The client asks; what it was told and on what basis stands in the log.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Variant } from '../lab/certificates.ts';
import { serverHost } from '../lab/dovecot.ts';
import { startLetterlock, type Letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { freePorts } from '../lab/port.ts';
import { visit } from '../lab/visit.ts';
import { until } from '../lab/wait.ts';

interface Walk {
  readonly story: string;
  readonly trust?: string;
  readonly firstUse?: string;
  /** Whether the private CA is a trust anchor; default yes. */
  readonly anchored?: boolean;
  readonly steps: readonly (readonly [Variant, string])[];
}

const walks: readonly Walk[] = [
  {
    story: 'a self-signed server renews with its key, then shows another key',
    steps: [
      ['self1', 'first-use'],
      ['self1r', 'pin'],
      ['self2', 'pin-mismatch'],
    ],
  },
  {
    story: 'a self-signed server moves to a CA with its key and renews with fresh keys',
    steps: [
      ['self1', 'first-use'],
      ['ca1', 'pin'],
      ['ca1', 'ca'],
      ['ca2', 'ca'],
      ['self2', 'ca-lost'],
    ],
  },
  {
    story: 'a self-signed server moves to a CA with a new key',
    steps: [
      ['self1', 'first-use'],
      ['ca2', 'pin-mismatch'],
    ],
  },
  {
    story: 'a pinned key is served in certificates that ran out or name another host',
    steps: [
      ['self1', 'first-use'],
      ['expired', 'pin'],
      ['future', 'pin'],
      ['wronghost', 'pin'],
      ['selfexpired', 'pin'],
    ],
  },
  {
    story: 'a CA-signed certificate runs out',
    steps: [
      ['ca1', 'ca'],
      ['expired', 'ca-lost'],
    ],
  },
  {
    story: 'a CA-signed certificate is not valid yet',
    steps: [
      ['ca1', 'ca'],
      ['future', 'ca-lost'],
    ],
  },
  {
    story: 'a CA-signed certificate is replaced by one for another host',
    steps: [
      ['ca1', 'ca'],
      ['wronghost', 'ca-lost'],
    ],
  },
  {
    story: 'a CA-signed server falls back to a self-signed certificate',
    steps: [
      ['ca1', 'ca'],
      ['self1', 'ca-lost'],
    ],
  },
  { story: 'the first certificate is one of a CA that ran out', steps: [['expired', 'first-use-held']] },
  {
    story: 'the first certificate is one of a CA that is not valid yet',
    steps: [['future', 'first-use-held']],
  },
  {
    story: 'the first certificate is one of a CA for another host',
    steps: [['wronghost', 'first-use-held']],
  },
  {
    story: 'the first certificate is self-signed and ran out',
    steps: [
      ['selfexpired', 'first-use'],
      ['self1', 'pin'],
    ],
  },
  {
    story: 'the CA is not known here',
    anchored: false,
    steps: [
      ['ca1', 'first-use'],
      ['ca1', 'pin'],
      ['ca2', 'pin-mismatch'],
    ],
  },
  {
    story: 'tofu pins a CA-signed key and minds when it changes',
    trust: 'tofu',
    steps: [
      ['ca1', 'first-use'],
      ['self1', 'pin'],
      ['ca2', 'pin-mismatch'],
    ],
  },
  { story: 'ca wants a CA from the start', trust: 'ca', steps: [['self1', 'ca-invalid']] },
  {
    story: 'ca does not mind a new key',
    trust: 'ca',
    steps: [
      ['ca1', 'ca'],
      ['ca2', 'ca'],
      ['selfexpired', 'ca-lost'],
    ],
  },
  { story: 'ca+tofu wants a CA from the start', trust: 'ca+tofu', steps: [['self1', 'ca-invalid']] },
  {
    story: 'ca+tofu minds when the CA no longer vouches',
    trust: 'ca+tofu',
    steps: [
      ['ca1', 'first-use'],
      ['ca1', 'pin'],
      ['self1', 'ca-lost'],
    ],
  },
  {
    story: 'ca+tofu minds a new key',
    trust: 'ca+tofu',
    steps: [
      ['ca1', 'first-use'],
      ['ca2', 'pin-mismatch'],
    ],
  },
  { story: 'pinned takes nothing that was not named', trust: 'pinned', steps: [['ca1', 'not-pinned']] },
  {
    story: 'a new key waits where first use is held',
    firstUse: 'hold',
    steps: [['self1', 'first-use-held']],
  },
  {
    story: 'a new key is refused where first use is off',
    firstUse: 'refuse',
    steps: [['self1', 'first-use-off']],
  },
];

/** One visit; what the log says of it: the basis when it was relayed, else the reason. */
async function outcome(letterlock: Letterlock, port: number): Promise<{ said: string; greeting: string }> {
  const before = letterlock.entries('session-ended').length;
  const greeting = await visit(port);
  const entry = await until(
    'the end of the session',
    () => letterlock.entries('session-ended')[before] ?? null,
  );
  return { said: String(entry['outcome'] === 'relayed' ? entry['basis'] : entry['reason']), greeting };
}

describeWith(['dovecot', 'openssl'], { root: false })('the lives of a certificate', () => {
  let lab: MailLab;
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
  });
  afterAll(() => lab.stop());

  test.each(walks.map((walk) => [walk.story, walk] as const))(
    '%s',
    async (_, { trust, firstUse, anchored, steps }) => {
      const [listen = 0] = await freePorts('127.0.0.1', 1);
      const settings = {
        ...(trust === undefined ? {} : { trust }),
        ...(firstUse === undefined ? {} : { firstUse }),
        ...(anchored === false ? {} : { caFile: lab.caFile }),
      };
      const address = `${serverHost}:${lab.dovecot.ports.imaps}`;
      const letterlock = await startLetterlock([
        { name: 'mail', listen, upstream: 'imaps://mail.lab.test', address, settings },
      ]);
      try {
        for (const [variant, expected] of steps) {
          await lab.swap(variant);
          const { said, greeting } = await outcome(letterlock, listen);
          expect({ variant, said }, letterlock.output()).toEqual({ variant, said: expected });
          const accepted = ['first-use', 'pin', 'ca'].includes(expected);
          expect(greeting).toMatch(
            accepted ? /^\* OK .*Dovecot/ : /^\* BYE \[ALERT\] letterlock refused mail\.lab\.test: /,
          );
        }
      } finally {
        await letterlock.stop();
      }
    },
  );
});
