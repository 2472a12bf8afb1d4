// A Dovecot of our own, run without root: IMAP, POP3, ManageSieve, submission and LMTP on 127.0.0.3.
// That address matters: Dovecot trusts a client that comes from the address it listens on, and would then
// take passwords without TLS, which would hide a proxy that sends them so.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { chown, cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Variant } from './certificates.ts';
import { point, serves } from './live-certificate.ts';
import { labUser, type LabUser } from './lab-user.ts';
import { collectMaildir, discardMaildir } from './maildir.ts';
import { seedMaildir } from './messages.ts';
import { accepts, freePorts } from './port.ts';
import { cleanEnvironment, run, start, type Running } from './run.ts';
import { until } from './wait.ts';

export const serverHost = '127.0.0.3';
/** What its log says of a login, whether it came about or was tried. */
export const anyLogin = /Login: user|auth failed|tried to use|[1-9]\d* attempts/;
export const account = { user: 'bob', password: 'pass word1' } as const;

type Service = 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'sieve' | 'submission' | 'submissions' | 'lmtp' | 'auth';
export type DovecotPorts = Readonly<Record<Service, number>>;

export interface Dovecot {
  readonly ports: DovecotPorts;
  /** Serves this certificate from now on; resolves when a handshake shows it. */
  swap(variant: Variant): Promise<void>;
  /** Everything its log says. */
  log(): Promise<string>;
  /** Waits for `count` messages in the mailbox of `user` and takes them out, in no particular order. */
  collect(user: string, count: number): Promise<readonly Buffer[]>;
  /** Takes out whatever lies there. */
  discard(user: string): Promise<void>;
  /** Kills every process of it at once, as a crash of its machine would, and starts it again on the same ports. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Another place to run it than this machine's own network. */
export interface DovecotPlace {
  /** Words before a command that run it there, as root. */
  readonly inside: readonly string[];
  /** Addresses there, in place of `serverHost`. */
  readonly hosts: readonly string[];
}

export interface DovecotOptions {
  /** An existing empty folder; the caller removes it. */
  readonly folder: string;
  readonly certificates: string;
  readonly variant: Variant;
  /** Whether bob's INBOX holds the awkward messages. */
  readonly seeded: boolean;
  /** Where its submission service hands mail on. */
  readonly relayPort: number;
  readonly place?: DovecotPlace;
}

/** Starts it and waits until every port accepts. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const user = await labUser();
  await prepare(options, user);
  for (let tries = 1; ; tries += 1) {
    try {
      return await startAtFreePorts(options, user);
    } catch (error) {
      // Ports that were free a moment ago; somebody else took one.
      if (tries === 3 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function startAtFreePorts(options: DovecotOptions, user: LabUser): Promise<Dovecot> {
  const ports = await choosePorts();
  const { folder, certificates } = options;
  const configuration = join(folder, 'dovecot.conf');
  const hosts = options.place?.hosts ?? [serverHost];
  await writeFile(configuration, configure({ folder, user, ports, hosts, relayPort: options.relayPort }));
  await owned(folder, user);
  const all = Object.values(ports);
  const begin = async (): Promise<Running> => {
    const started = await launch(configuration, { user, place: options.place });
    await until('dovecot', async () => {
      if (started.exit() !== null) throw new Error(`dovecot ended: ${started.output()}`);
      return (await listening(all, options.place)) === all.length;
    });
    return started;
  };
  let running = await begin();
  return {
    restart: async () => {
      // Without a SIGTERM before: cut off in its own shutdown, it leaves a lock that the next one waits for.
      process.kill(-running.pid, 'SIGKILL');
      await running.stop();
      // Its children go a moment later, and until then the ports are theirs.
      await until('dovecot to be gone', async () => (await listening(all, options.place)) === 0);
      running = await begin();
    },
    ports,
    swap: async (variant) => {
      await point(join(folder, 'tls'), join(folder, 'tls/all'), variant);
      process.kill(running.pid, 'SIGHUP');
      const file = join(certificates, `${variant}.crt`);
      await until(`dovecot to serve ${variant}`, () => serves({ host: serverHost, port: ports.imaps }, file));
    },
    log: () => readFile(join(folder, 'info.log'), 'utf8').catch(() => ''),
    discard: (name) => discardMaildir(join(folder, 'home', name, 'Maildir')),
    collect: (name, count) => collectMaildir(join(folder, 'home', name, 'Maildir'), count),
    stop: () => running.stop(),
  };
}

function launch(
  configuration: string,
  { user, place }: { readonly user: LabUser; readonly place: DovecotPlace | undefined },
): Promise<Running> {
  const dovecot = ['dovecot', '-F', '-c', configuration];
  if (place === undefined) return start(dovecot, { uid: user.uid, gid: user.gid });
  // Entering the place takes root, and a change of user forgets --pdeathsig: so once more inside.
  const as = ['--reuid', user.name, '--regid', user.group, '--clear-groups', '--pdeathsig', 'TERM'];
  return start([...place.inside, 'setpriv', ...as, ...dovecot], {});
}

/** How many of these ports somebody listens on; in another place than ours, by what the system there says. */
async function listening(ports: readonly number[], place: DovecotPlace | undefined): Promise<number> {
  if (place === undefined)
    return (await Promise.all(ports.map((port) => accepts(serverHost, port)))).filter(Boolean).length;
  const { shown } = await run([...place.inside, 'ss', '-Hltn'], { env: cleanEnvironment('/') });
  return ports.filter((port) => place.hosts.every((host) => shown.includes(`${host}:${port} `))).length;
}

async function choosePorts(): Promise<DovecotPorts> {
  const [imap = 0, imaps = 0, pop3 = 0, pop3s = 0, ...others] = await freePorts(serverHost, 9);
  const [sieve = 0, submission = 0, submissions = 0, lmtp = 0, auth = 0] = others;
  return { imap, imaps, pop3, pop3s, sieve, submission, submissions, lmtp, auth };
}

async function prepare(
  { folder, certificates, variant, seeded }: DovecotOptions,
  user: LabUser,
): Promise<void> {
  for (const name of ['run', 'state', 'tls', 'home/bob', 'home/alice']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await cp(certificates, join(folder, 'tls/all'), { recursive: true });
  await owned(join(folder, 'tls/all'), user);
  await point(join(folder, 'tls'), join(folder, 'tls/all'), variant);
  await writeFile(join(folder, 'users'), `${account.user}:${scramHash(account.password)}::::::\n`);
  if (seeded) await seedMaildir(join(folder, 'home/bob/Maildir'));
}

async function owned(folder: string, user: LabUser): Promise<void> {
  await chown(folder, user.uid, user.gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await owned(path, user);
    else if (entry.isFile()) await chown(path, user.uid, user.gid);
  }
}

/** Dovecot's spelling of an RFC 5803 verifier; it serves PLAIN and LOGIN as well. */
function scramHash(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
  const hmac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `{SCRAM-SHA-256}4096,${salt.toString('base64')},${stored},${hmac('Server Key').toString('base64')}`;
}

interface Configured {
  readonly folder: string;
  readonly user: LabUser;
  readonly ports: DovecotPorts;
  readonly hosts: readonly string[];
  readonly relayPort: number;
}

const listener = (name: string, port: number, ssl: boolean): string => `
  inet_listener ${name} {
    port = ${port}
    ssl = ${ssl ? 'yes' : 'no'}
  }`;

// One uid for everything, and no chroot: that is what lets Dovecot run without root.
const configure = ({ folder, user, ports, hosts, relayPort }: Configured): string => `
protocols = imap pop3 lmtp sieve submission
base_dir = ${folder}/run
state_dir = ${folder}/state
instance_name = ${folder.replaceAll('/', '-')}
log_path = ${folder}/error.log
info_log_path = ${folder}/info.log
default_internal_user = ${user.name}
default_internal_group = ${user.group}
default_login_user = ${user.name}
first_valid_uid = 1
listen = ${hosts.join(', ')}
hostname = mail.lab.test
mail_location = maildir:~/Maildir
mail_home = ${folder}/home/%n
mail_uid = ${user.name}
mail_gid = ${user.group}
namespace inbox {
  inbox = yes
  separator = /
}
ssl = required
ssl_cert = <${folder}/tls/live.crt
ssl_key = <${folder}/tls/live.key
disable_plaintext_auth = yes
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = username_format=%n ${folder}/users
}
userdb {
  driver = static
  args = uid=${user.name} gid=${user.group} home=${folder}/home/%n allow_all_users=yes
}
mail_plugins = zlib
protocol imap {
  mail_plugins = zlib imap_zlib
  mail_max_userip_connections = 100
}
protocol pop3 {
  mail_max_userip_connections = 100
}
protocol lmtp {
  postmaster_address = postmaster@lab.test
}
plugin {
  sieve = file:~/sieve;active=~/.dovecot.sieve
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =${listener('imap', ports.imap, false)}${listener('imaps', ports.imaps, true)}
}
service pop3-login {
  chroot =${listener('pop3', ports.pop3, false)}${listener('pop3s', ports.pop3s, true)}
}
service managesieve-login {
  chroot =${listener('sieve', ports.sieve, false)}
}
service submission-login {
  chroot =${listener('submission', ports.submission, false)}${listener('submissions', ports.submissions, true)}
}
service lmtp {${listener('lmtp', ports.lmtp, false)}
}
service auth {
  inet_listener {
    port = ${ports.auth}
  }
}
submission_relay_host = ${serverHost}
submission_relay_port = ${relayPort}
submission_relay_trusted = no
submission_max_mail_size = 100M
`;
