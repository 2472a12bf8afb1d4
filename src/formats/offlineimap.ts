// offlineimaprc: `cert_fingerprint` of a [Repository …], one or several hashes of the certificate, told apart by
// their length. What Python would compute (`remotehosteval`) is not known here.

import { sectionsOf, type IniSection } from './ini.ts';
import { byCertificate, digestOf, type Printer } from './printing.ts';
import { Findings, type Reader } from './reading.ts';

export const readOfflineimap: Reader = (source) => {
  const found = new Findings(source);
  for (const section of sectionsOf(source.text).filter(({ name }) => /^repository\s/i.test(name)))
    addRepository(section, found);
  return found;
};

function addRepository({ name, values }: IniSection, found: Findings): void {
  const fingerprints = values.get('cert_fingerprint');
  if (fingerprints === undefined || fingerprints.text === '') return;
  const { line } = fingerprints;
  const host = values.get('remotehost');
  if (host === undefined || values.has('remoteporteval'))
    return found.problem(line, `[${name}]: host and port must be written out: remotehost, remoteport`);
  const isPlain = /^(?:no|false|off|0)$/i.test(values.get('ssl')?.text ?? 'yes');
  const port = values.get('remoteport')?.text ?? (isPlain ? 143 : 993);
  const endpoint = found.endpoint(line, host.text, port);
  if (endpoint === null) return;
  for (const one of fingerprints.text.split(',').filter((text) => text.trim() !== ''))
    found.certificateHash(line, endpoint, one);
}

export const printOfflineimap: Printer = (exported) =>
  byCertificate(exported, (seen) => [
    `cert_fingerprint = ${seen.map(({ der }) => digestOf(der, 'sha256')).join(',')}`,
  ]);
