// Real servers under reload: Dovecot and Postfix of the test lab change their certificate again and again, so that for a
// moment some of their processes show the old one and others the new one. The lab is that of the tests, bundled.

import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from './client.mjs';
import { Letterlock } from './letterlock.mjs';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Test code of this repository as a module that Node can load. Whoever asks removes it. */
async function bundled(file) {
  const { build } = await import('esbuild');
  mkdirSync(join(root, '.cache'), { recursive: true });
  const outfile = join(root, '.cache', `faults-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, file)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
  return {
    module: await import(pathToFileURL(outfile).href),
    remove: () => rmSync(outfile, { force: true }),
  };
}

function spkiOf(file) {
  const key = new X509Certificate(readFileSync(file)).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(key).digest('base64')}`;
}

export async function reloadedServers({ build, seconds, folder, signal, say }) {
  if (process.getuid?.() !== 0) return { figures: [['real servers', 'not root']], findings: [] };
  const end = performance.now() + seconds * 1000 * 0.3;
  const { module, remove } = await bundled('test/lab/mail-lab.ts');
  const total = { swaps: 0, clients: 0, served: 0, findings: [] };
  const lab = await module.startMailLab({ variant: 'self1', seeded: false, postfix: true });
  const letterlock = new Letterlock({ build, folder: join(folder, 'real') });
  try {
    await whileReloaded({ lab, letterlock, total, goesOn: () => performance.now() < end && !signal.aborted });
  } finally {
    await letterlock.kill();
    await lab.stop();
    remove();
  }
  say(`${total.swaps} certificates of real servers, ${total.findings.length} findings`);
  return {
    figures: [
      ['certificates of real servers', total.swaps],
      ['their clients', total.clients],
      ['of them served', total.served],
    ],
    findings: total.findings,
  };
}

/** Clients log in without a pause while both servers go from one certificate to the next. */
async function whileReloaded({ lab, letterlock, total, goesOn }) {
  const pinned = spkiOf(join(lab.certificates, 'self1.crt'));
  const route = (name, scheme, port) => ({
    name,
    listen: '127.0.0.1:0',
    upstream: `${scheme}://mail.lab.test:${port}`,
    address: `127.0.0.3:${port}`,
    trust: 'pinned',
    pins: [pinned],
  });
  const { ports: dovecot } = lab.dovecot;
  const { ports: postfix } = lab.postfix;
  letterlock.configure([
    route('imaps', 'imaps', dovecot.imaps),
    route('imap', 'imap', dovecot.imap),
    route('submission', 'submission', postfix.submission),
    route('submissions', 'submissions', postfix.submissions),
  ]);
  letterlock.start();
  if (!(await letterlock.ready())) throw new Error(`letterlock does not start: ${letterlock.said}`);
  const ports = await letterlock.ports();
  const clients = [...ports].map(async ([name, port]) => {
    while (goesOn()) {
      const { found, served } = await oneClient(name, port);
      total.clients += 1;
      total.served += served;
      total.findings.push(...found);
      await pause(5);
    }
  });
  const order = ['self2', 'self1', 'self1r', 'self2', 'self1r', 'self1'];
  while (goesOn()) {
    await lab.swap(order[total.swaps % order.length]);
    total.swaps += 1;
  }
  await Promise.all(clients);
  await lab.swap('self1');
  total.findings.push(...(await examinedSessions(letterlock, { lab, pinned, ports })));
}

const passwords = {
  imap: { greeting: '* OK', login: 'a1 LOGIN bob "pass word1"\r\n', answer: 'a1 OK' },
  smtp: { greeting: '220', login: 'EHLO me\r\n', answer: '250 ' },
};

async function oneClient(name, port) {
  const words = passwords[name.startsWith('imap') ? 'imap' : 'smtp'];
  const client = new Client(port);
  try {
    const heard = await client.hears('\r\n', 12_000);
    if (!heard && client.state === 'open') return { found: [`${name}: a client got no answer`], served: 0 };
    if (!client.text.startsWith(words.greeting)) return { found: [], served: 0 };
    client.say(words.login);
    const answered = await client.hears(words.answer, 12_000);
    // A server that is reloaded may cut off whom it greeted; that is not letterlock's.
    return { found: [], served: answered ? 1 : 0 };
  } finally {
    client.leave();
  }
}

/** Whoever was relayed was relayed on the pinned key; afterwards everybody is. */
async function examinedSessions(letterlock, { lab, pinned, ports }) {
  const found = [];
  const relayed = letterlock.log.filter(
    ({ event, outcome }) => event === 'session-ended' && outcome === 'relayed',
  );
  for (const { endpoint, spki } of relayed)
    if (spki !== pinned) found.push(`real servers: ${endpoint} was relayed on ${spki}`);
  // Dovecot writes down everybody who sent it a password; nobody did under the other key.
  if (relayed.length === 0) found.push('real servers: nobody was served');
  await pause(2500);
  await letterlock.ask('POST', '/v1/reload');
  for (const [name, port] of ports) {
    const { served } = await oneClient(name, port);
    if (served === 0)
      found.push(`real servers: afterwards ${name} is not served (${(await lab.dovecot.log()).slice(-200)})`);
  }
  return found;
}
