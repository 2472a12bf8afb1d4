// getmail's rc files: `ssl_fingerprints` of the [retriever], a tuple of quoted SHA-256 hashes of the certificate.

import { sectionsOf } from './ini.ts';
import { byCertificate, digestOf, type Printer } from './printing.ts';
import { Findings, shortened, type Reader } from './reading.ts';

export const readGetmail: Reader = (source) => {
  const found = new Findings(source);
  const retriever = sectionsOf(source.text).find(({ name }) => name === 'retriever')?.values;
  const fingerprints = retriever?.get('ssl_fingerprints');
  if (retriever === undefined || fingerprints === undefined) return found;
  const { line, text } = fingerprints;
  const type = retriever.get('type')?.text ?? '';
  const server = retriever.get('server')?.text;
  if (!/(?:POP3|IMAP)SSLRetriever$/.test(type) || server === undefined) {
    found.problem(
      line,
      `${shortened(type)} with ssl_fingerprints is no retriever that is known, or has no server`,
    );
    return found;
  }
  const port = retriever.get('port')?.text ?? (type.includes('IMAP') ? 993 : 995);
  const endpoint = found.endpoint(line, server, port);
  if (endpoint === null) return found;
  const quoted = [...text.matchAll(/'([^']*)'|"([^"]*)"/g)].map(
    ([, single, double]) => single ?? double ?? '',
  );
  if (quoted.length === 0) found.problem(line, `${shortened(text)} holds no quoted fingerprint`);
  for (const one of quoted) found.certificateHash(line, endpoint, one);
  return found;
};

export const printGetmail: Printer = (exported) =>
  byCertificate(exported, (seen) => [
    `ssl_fingerprints = (${seen.map(({ der }) => `'${digestOf(der, 'sha256')}',`).join(' ')})`,
  ]);
