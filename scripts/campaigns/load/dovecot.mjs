// A real Dovecot behind the daemon: IMAP over TLS alone, as a user without rights, on an address of its own (it takes a client
// of the address it listens on for a trusted one). Null where it is not installed.

import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chownSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { freePorts, pause } from '../../benchmark/growth-world.mjs';

const program = '/usr/sbin/dovecot';
const systemUser = 'letterlock-lab';
const host = '127.0.0.3';
export const login = 'bob wonderland';

/** `{place, end}`: where it listens, and what ends it. `folder` exists and others may pass through it. */
export async function startDovecot({ folder, certFile, keyFile, sessions }) {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    return null;
  }
  const user = labUser();
  const own = join(folder, 'dovecot');
  for (const name of ['', 'run', 'state', 'home', 'tls']) {
    mkdirSync(join(own, name), { recursive: true });
    chownSync(join(own, name), user.uid, user.gid);
  }
  for (const [name, file] of Object.entries({ cert: certFile, key: keyFile }))
    writeFileSync(join(own, 'tls', name), readFileSync(file));
  for (const name of ['cert', 'key']) chownSync(join(own, 'tls', name), user.uid, user.gid);
  const [port] = await freePorts(1);
  writeFileSync(join(own, 'conf'), configuration({ own, user, port, sessions }));
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, '-F', '-c', join(own, 'conf')], {
    uid: user.uid,
    gid: user.gid,
    detached: true,
    stdio: 'ignore',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  const end = () => ended(child);
  try {
    await listening(child, port);
  } catch (error) {
    await end();
    throw new Error(`${error.message}: ${logOf(own)}`, { cause: error });
  }
  return { place: `${host}:${port}`, end };
}

const logOf = (own) => {
  try {
    return readFileSync(join(own, 'log'), 'utf8').slice(-500);
  } catch {
    return 'it logged nothing';
  }
};

async function listening(child, port) {
  for (const deadline = performance.now() + 15_000; performance.now() < deadline; await pause(20)) {
    if (child.exitCode !== null) throw new Error(`dovecot ended with ${child.exitCode}`);
    if (await accepts(port)) return;
  }
  throw new Error('dovecot does not listen');
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Its processes are a group of their own. */
async function ended(child) {
  const gone = child.exitCode !== null || new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await Promise.race([gone, pause(5000)]);
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of them had gone.
  }
  await gone;
}

/** As root the system user of the lab, made when it is missing and kept; else whoever runs this. */
function labUser() {
  if (process.getuid() !== 0) {
    const { username, uid, gid } = userInfo();
    return { name: username, group: groupOf(gid), uid, gid };
  }
  const words = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
  ];
  // It may exist already; whether it does is seen in the next line.
  spawnSync('/usr/sbin/useradd', [...words, systemUser], { stdio: 'ignore' });
  const [, , uid, gid] = entry('passwd', (fields) => fields[0] === systemUser);
  return { name: systemUser, group: groupOf(gid), uid: Number(uid), gid: Number(gid) };
}

function entry(table, fits) {
  const found = readFileSync(`/etc/${table}`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(fits);
  if (found === undefined) throw new Error(`no such entry in /etc/${table}`);
  return found;
}

const groupOf = (gid) => entry('group', (fields) => fields[2] === String(gid))[0];

// One uid for everything, and no chroot: that is what lets it run without root. A login process serves many, as where there
// are many clients.
const configuration = ({ own, user, port, sessions }) => `
protocols = imap
base_dir = ${own}/run
state_dir = ${own}/state
log_path = ${own}/log
default_internal_user = ${user.name}
default_internal_group = ${user.group}
default_login_user = ${user.name}
default_process_limit = ${sessions + 200}
default_client_limit = ${4 * sessions + 2000}
first_valid_uid = 1
listen = ${host}
mail_location = maildir:${own}/home
mail_uid = ${user.name}
mail_gid = ${user.group}
ssl = required
ssl_cert = <${own}/tls/cert
ssl_key = <${own}/tls/key
auth_mechanisms = plain
passdb {
  driver = static
  args = password=wonderland
}
userdb {
  driver = static
  args = uid=${user.name} gid=${user.group} home=${own}/home
}
protocol imap {
  mail_max_userip_connections = ${sessions + 200}
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  process_limit = 2
  process_min_avail = 1
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${port}
    ssl = yes
  }
}
service imap {
  process_limit = ${sessions + 200}
}
`;
