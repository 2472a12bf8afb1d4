// The certificate a running server serves: `live.crt` and `live.key` are links that a swap replaces whole.

import { X509Certificate } from 'node:crypto';
import { readFile, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Variant } from './certificates.ts';

/** Points both links of `folder` at `variant`; each link is never missing, not even for a moment. */
export async function point(folder: string, certificates: string, variant: Variant): Promise<void> {
  for (const kind of ['crt', 'key']) {
    const fresh = join(folder, `live.${kind}.new`);
    await symlink(join(certificates, `${variant}.${kind}`), fresh);
    await rename(fresh, join(folder, `live.${kind}`));
  }
}

/** Whether the implicit-TLS port serves exactly this certificate now; false also when it does not answer. */
export async function serves(
  at: { readonly host: string; readonly port: number },
  file: string,
): Promise<boolean> {
  const wanted = new X509Certificate(await readFile(file)).fingerprint256;
  return new Promise((resolve) => {
    // The question is which certificate is served, whatever it is worth.
    const socket = connect({ ...at, rejectUnauthorized: false, servername: 'mail.lab.test', timeout: 3000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('secureConnect', () => end(socket.getPeerX509Certificate()?.fingerprint256 === wanted));
    socket.on('error', () => end(false));
    socket.on('timeout', () => end(false));
  });
}
