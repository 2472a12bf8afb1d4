// Real servers under reload: Dovecot and Postfix of the test lab change their certificate again and again, so that for a
// moment some of their processes show the old one and others the new one. The lab is that of the tests, bundled.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
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
  return { module: await import(pathToFileURL(outfile).href), remove: () => rmSync(outfile, { force: true }) };
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
