// `letterlock inspect` against a real server: it lists exactly what is wrong with the certificate, all of it,
// shows the certificate, and ends with 4 where nobody vouches for it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Variant } from '../lab/certificates.ts';
import { serverHost } from '../lab/dovecot.ts';
import { letterlock } from '../lab/letterlock.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';

const inspection = z.object({
  endpoint: z.string(),
  leaf: z.object({
    spki: z.string().startsWith('sha256//'),
    sha256: z.string(),
    subject: z.string(),
    names: z.array(z.unknown()),
  }),
  caValid: z.boolean(),
  faults: z.array(z.string()),
});

interface Row {
  readonly what: string;
  readonly variant: Variant;
  readonly host?: string;
  readonly scheme?: 'imap' | 'imaps';
  /** Whether the CA of the lab is named; default yes. */
  readonly anchored?: boolean;
  readonly faults: readonly string[];
}

const rows: readonly Row[] = [
  { what: 'a certificate of a trusted CA', variant: 'ca1', faults: [] },
  { what: 'a certificate of a trusted CA after STARTTLS', variant: 'ca1', scheme: 'imap', faults: [] },
  { what: 'another certificate of a trusted CA', variant: 'ca2', faults: [] },
  { what: 'a self-signed certificate', variant: 'self1', faults: ['self-signed'] },
  {
    what: 'a self-signed certificate after STARTTLS',
    variant: 'self1',
    scheme: 'imap',
    faults: ['self-signed'],
  },
  { what: 'an expired certificate', variant: 'expired', faults: ['expired'] },
  { what: 'a certificate not yet valid', variant: 'future', faults: ['not-yet-valid'] },
  { what: 'a certificate for another name', variant: 'wronghost', faults: ['name-mismatch'] },
  { what: 'an expired self-signed certificate', variant: 'selfexpired', faults: ['self-signed', 'expired'] },
  {
    what: 'an expired self-signed certificate for another name',
    variant: 'selfexpired',
    host: 'else.lab.test',
    faults: ['self-signed', 'expired', 'name-mismatch'],
  },
  { what: 'a certificate of an unknown CA', variant: 'ca1', anchored: false, faults: ['unknown-issuer'] },
  {
    what: 'an expired certificate of an unknown CA for another name',
    variant: 'expired',
    anchored: false,
    host: 'else.lab.test',
    faults: ['unknown-issuer', 'expired', 'name-mismatch'],
  },
];

describeWith(['dovecot', 'openssl'], { root: false })('inspect', () => {
  let lab: MailLab;
  beforeAll(async () => {
    lab = await startMailLab({ variant: 'self1', seeded: false, postfix: false });
  });
  afterAll(() => lab.stop());

  test.each(rows.map((row) => [row.what, row] as const))(
    'lists all that is wrong with %s, and nothing else',
    async (_, { variant, host, scheme, anchored, faults }) => {
      await lab.swap(variant);
      const { imap, imaps } = lab.dovecot.ports;
      const ran = await letterlock(
        'inspect',
        `${scheme ?? 'imaps'}://${host ?? 'mail.lab.test'}`,
        '--address',
        `${serverHost}:${scheme === 'imap' ? imap : imaps}`,
        ...(anchored === false ? [] : ['--ca-file', lab.caFile]),
        '--json',
      );
      expect(ran.exit, ran.shown).toBe(faults.length === 0 ? 0 : 4);
      const found = inspection.parse(JSON.parse(ran.stdout.toString('utf8')));
      expect(found.faults).toEqual(faults);
      expect(found.caValid).toBe(faults.length === 0);
      expect(found.endpoint).toBe(`${host ?? 'mail.lab.test'}:${scheme === 'imap' ? 143 : 993}`);
    },
  );
});
