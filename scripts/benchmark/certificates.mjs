// A CA made for this run, and a server certificate of each kind that it signed for localhost.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const keys = {
  ec: '-newkey ec -pkeyopt ec_paramgen_curve:P-256',
  rsa: '-newkey rsa:2048',
};
const names = `subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth
basicConstraints = CA:FALSE
`;

/** Writes ca.pem, and KIND.pem with KIND.key for `ec` and `rsa`, into the folder. */
export function makeCertificates(folder) {
  writeFileSync(join(folder, 'names'), names);
  openssl(
    folder,
    `req -x509 ${keys.ec} -nodes -subj /CN=bench -days 2 -keyout ca.key -out ca.pem
     -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign`,
  );
  for (const [kind, key] of Object.entries(keys)) {
    openssl(folder, `req ${key} -nodes -subj /CN=localhost -keyout ${kind}.key -out csr`);
    openssl(
      folder,
      `x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out ${kind}.pem`,
    );
  }
}

function openssl(cwd, words) {
  execFileSync('openssl', words.split(/\s+/), { cwd, stdio: 'ignore' });
}
