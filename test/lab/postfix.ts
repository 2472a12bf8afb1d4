// A Postfix of our own on 127.0.0.3: submission (587-like, STARTTLS required), submissions (465-like) and a
// plain port for Dovecot's relay. Only its master runs as root, which it needs to become the postfix user.
// Passwords are checked by the Dovecot beside it.

import { chown, copyFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variant } from './certificates.ts';
import { serverHost } from './dovecot.ts';
import { labUser, type LabUser } from './lab-user.ts';
import { collectMaildir, discardMaildir } from './maildir.ts';
import { point, serves } from './live-certificate.ts';
import { accepts } from './port.ts';
import { cleanEnvironment, run, start } from './run.ts';
import { until } from './wait.ts';

export interface PostfixPorts {
  readonly relay: number;
  readonly submission: number;
  readonly submissions: number;
}

export interface Postfix {
  readonly ports: PostfixPorts;
  swap(variant: Variant): Promise<void>;
  /** Waits for `count` messages in the mailbox of `user` and takes them out, in no particular order. */
  collect(user: string, count: number): Promise<readonly Buffer[]>;
  /** Takes out whatever lies there. */
  discard(user: string): Promise<void>;
  stop(): Promise<void>;
}

export interface PostfixOptions {
  /** An existing empty folder; the caller removes it. */
  readonly folder: string;
  readonly certificates: string;
  readonly variant: Variant;
  /** Free ports: the relay port has to be known before Dovecot starts. */
  readonly ports: PostfixPorts;
  readonly authPort: number;
}

/** Starts it and waits until every port accepts. */
export async function startPostfix(options: PostfixOptions): Promise<Postfix> {
  const { folder, certificates, ports, variant } = options;
  const user = await labUser();
  for (const name of ['etc', 'queue', 'data', 'tls', 'mail/bob', 'mail/alice']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await cp(certificates, join(folder, 'tls/all'), { recursive: true });
  await point(join(folder, 'tls'), join(folder, 'tls/all'), variant);
  await writeFile(join(folder, 'etc/main.cf'), mainConfiguration(options, user));
  await writeFile(join(folder, 'etc/master.cf'), masterConfiguration(ports));
  // Debian builds some table types as plug-ins that this file lists.
  await copyFile('/etc/postfix/dynamicmaps.cf', join(folder, 'etc/dynamicmaps.cf')).catch(() => undefined);
  await hand(folder, user);
  const env = cleanEnvironment(folder);
  const check = await run(['postfix', '-c', join(folder, 'etc'), 'check'], { env });
  if (check.exit !== 0) throw new Error(`postfix check: ${check.shown}`);
  const running = await start(['/usr/lib/postfix/sbin/master', '-c', join(folder, 'etc'), '-d'], { env });
  await until('postfix', async () => {
    if (running.exit() !== null) {
      const log = await readFile(join(folder, 'mail.log'), 'utf8').catch(() => '');
      throw new Error(`postfix ended: ${running.output()}${log}`);
    }
    return (
      await Promise.all(
        [ports.relay, ports.submission, ports.submissions].map((port) => accepts(serverHost, port)),
      )
    ).every(Boolean);
  });
  return {
    ports,
    swap: async (next) => {
      await point(join(folder, 'tls'), join(folder, 'tls/all'), next);
      process.kill(running.pid, 'SIGHUP');
      const file = join(certificates, `${next}.crt`);
      await until(`postfix to serve ${next}`, () =>
        serves({ host: serverHost, port: ports.submissions }, file),
      );
    },
    discard: (name) => discardMaildir(join(folder, 'mail', name, 'Maildir')),
    collect: (name, count) => collectMaildir(join(folder, 'mail', name, 'Maildir'), count),
    stop: () => running.stop(),
  };
}

/** The postfix user owns its data folder, the lab user the mail. */
async function hand(folder: string, user: LabUser): Promise<void> {
  const ids = await Promise.all(
    ['-u', '-g'].map(async (kind) => {
      const { exit, stdout } = await run(['id', kind, 'postfix'], { env: cleanEnvironment(folder) });
      if (exit !== 0) throw new Error('there is no user postfix');
      return Number(stdout.toString());
    }),
  );
  await chown(join(folder, 'data'), ids[0] ?? 0, ids[1] ?? 0);
  for (const name of ['mail', 'mail/bob', 'mail/alice']) await chown(join(folder, name), user.uid, user.gid);
}

const mainConfiguration = ({ folder, authPort }: PostfixOptions, user: LabUser): string => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
myhostname = mx.lab.test
mydomain = lab.test
mydestination = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.255/32
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = lab.test
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = inline:{bob@lab.test=bob/Maildir/, alice@lab.test=alice/Maildir/}
virtual_uid_maps = static:${user.uid}
virtual_gid_maps = static:${user.gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = 104857600
smtpd_tls_chain_files = ${folder}/tls/live.key, ${folder}/tls/live.crt
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_tls_session_cache_database =
tls_random_source = dev:/dev/urandom
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:${serverHost}:${authPort}
smtpd_sasl_auth_enable = yes
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_timeout = 60s
`;

const masterConfiguration = (ports: PostfixPorts): string => `
${serverHost}:${ports.relay} inet n - n - - smtpd
${serverHost}:${ports.submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
${serverHost}:${ports.submissions} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
