// Programs of ten lines that know nothing of letterlock, against real servers with self-signed certificates: they work on
// first use, and send nothing once the key is another one.

import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Tofu } from '../../src/index.ts';
import { account, serverHost } from '../lab/dovecot.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { startMailLab, type MailLab } from '../lab/mail-lab.ts';
import { describeWith } from '../lab/needs.ts';
import { runProgram } from '../lab/preloaded.ts';
import type { Ran } from '../lab/run.ts';

const examples = join(import.meta.dirname, '../../docs/examples');

const rows = [
  ['imapflow over TLS', 'read-mail.mjs', 'imaps', '1 plain', false],
  ['imapflow over STARTTLS', 'read-mail.mjs', 'imap', '1 plain', true],
  ['nodemailer over TLS', 'send-mail.mjs', 'submissions', '250 2.0.0 Ok', false],
  ['nodemailer over STARTTLS', 'send-mail.mjs', 'submission', '250 2.0.0 Ok', true],
] as const;

describeWith(['dovecot', 'postfix', 'openssl'], { root: true })('an unchanged program', () => {
  let lab: MailLab;
  let folder: Folder;
  beforeAll(async () => {
    folder = await temporaryFolder();
    lab = await startMailLab({ variant: 'self1', seeded: true, postfix: true });
  });
  afterAll(async () => {
    await lab.stop();
    await folder.remove();
  });

  type Service = (typeof rows)[number][2];
  const portOf = (service: Service): number => ({ ...lab.dovecot.ports, ...lab.postfix.ports })[service];

  const start = (
    script: string,
    at: { readonly service: Service; readonly starttls: boolean; readonly bare?: true },
  ): Promise<Ran> =>
    runProgram({
      script: join(examples, script),
      folder: folder.path,
      env: {
        HOST: serverHost,
        PORT: String(portOf(at.service)),
        MAIL_USER: account.user,
        MAIL_PASSWORD: account.password,
        ...(at.starttls ? { STARTTLS: 'yes' } : {}),
      },
      ...(at.bare === undefined ? {} : { bare: at.bare }),
    });

  test.each(rows)('%s refuses the server by itself', async (_, script, service, _shown, starttls) => {
    const { exit, shown } = await start(script, { service, starttls, bare: true });
    expect(exit).not.toBe(0);
    expect(shown).toMatch(/self-signed certificate/);
  });

  test.each(rows)('%s works on first use, and says so', async (_, script, service, good, starttls) => {
    const { exit, shown } = await start(script, { service, starttls });
    expect(shown).toContain(good);
    expect(exit).toBe(0);
    expect(shown).toContain(`letterlock: ${serverHost}:${portOf(service)}: its key sha256//`);
    expect(shown).toContain('was pinned on first use; nobody verified it');
  });

  test.each(rows)('%s works the next time, and says nothing', async (_, script, service, good, starttls) => {
    const { exit, shown } = await start(script, { service, starttls });
    expect(shown).toContain(good);
    expect(exit).toBe(0);
    expect(shown).not.toContain('letterlock');
  });

  test.each(rows)(
    '%s takes a new certificate for the same key',
    async (_, script, service, good, starttls) => {
      await lab.swap('self1r');
      const { exit, shown } = await start(script, { service, starttls });
      expect(shown).toContain(good);
      expect(exit).toBe(0);
    },
  );

  test.each(rows)(
    '%s is refused a changed key, and logs in nowhere',
    async (_, script, service, _good, starttls) => {
      await lab.swap('self2');
      const before = (await lab.dovecot.log()).length;
      const { exit, shown } = await start(script, { service, starttls });
      expect(exit).not.toBe(0);
      expect(shown).toMatch(
        /letterlock refused 127\.0\.0\.3: its key changed\. Nothing was sent\. Run: letterlock explain [0-9A-Z]{8}/,
      );
      expect(shown).toContain('TrustError');
      expect((await lab.dovecot.log()).slice(before)).not.toMatch(
        /Login: user|auth failed|[1-9]\d* attempts/,
      );
    },
  );

  const send = (tofu: Tofu, service: 'submission' | 'submissions'): Promise<unknown> =>
    createTransport({
      host: serverHost,
      port: portOf(service),
      secure: service === 'submissions',
      auth: { user: account.user, pass: account.password },
      getSocket: tofu.mailSocket(),
    }).sendMail({ from: 'alice@lab.test', to: 'bob@lab.test', subject: 'by a program', text: 'Hello' });

  test.each(['submissions', 'submission'] as const)(
    'nodemailer with a socket of the library sends over %s, and not once the key changed',
    async (service) => {
      await lab.swap('self1');
      const tofu = await Tofu.open({ store: 'memory' });
      await expect(send(tofu, service)).resolves.toMatchObject({
        response: expect.stringContaining('250 2.0.0 Ok'),
      });
      await lab.swap('self2');
      const before = (await lab.dovecot.log()).length;
      await expect(send(tofu, service)).rejects.toMatchObject({
        reason: 'pin-mismatch',
        faults: ['self-signed'],
      });
      expect((await lab.dovecot.log()).slice(before)).not.toMatch(
        /Login: user|auth failed|[1-9]\d* attempts/,
      );
      await tofu.close();
    },
  );
});
