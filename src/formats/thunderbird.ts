// cert_override.txt of a Thunderbird profile (nsCertOverrideService): `HOST:PORT:ATTRIBUTES`, the hash, the SHA-256 of
// the certificate, separated by tabs. Older versions wrote neither attributes nor the second colon, and what is
// overridden between hash and key of the certificate database.

import { bracketed } from '../endpoint.ts';
import { colons } from '../trust/fingerprint.ts';
import { byCertificate, digestOf, inLines, type Printer } from './printing.ts';
import { readHash } from './hash-text.ts';
import { Findings, linesOf, shortened, type Reader } from './reading.ts';

const sha256Name = 'OID.2.16.840.1.101.3.4.2.1';
const hashNames: Readonly<Record<string, string>> = {
  [sha256Name]: 'sha256',
  'OID.1.3.14.3.2.26': 'sha1',
};

export const readThunderbird: Reader = (source) => {
  const found = new Findings(source);
  for (const [line, text] of linesOf(source.text)) {
    if (text.trim() === '' || text.startsWith('#')) continue;
    const [place = '', name = '', fingerprint = ''] = text.split('\t');
    const [, host, port] = /^(.*?):(\d{1,5})(?::[^:]*)?$/.exec(place) ?? [];
    const hash = readHash(fingerprint);
    if (host === undefined || port === undefined || hash === null || hashNames[name] !== hash.algorithm) {
      found.problem(line, `${shortened(text)} is not a line of cert_override.txt`);
      continue;
    }
    const endpoint = found.endpoint(line, host, port);
    if (endpoint !== null) found.hash(line, endpoint, { of: 'certificate', until: null, ...hash });
  }
  return found;
};

/** One line for one server: Thunderbird keeps a single certificate for each. */
export const printThunderbird: Printer = (exported) => {
  const { host, port } = exported.endpoint;
  const printed = byCertificate(exported, ([first]) =>
    first === undefined
      ? []
      : [`${bracketed(host)}:${port}:\t${sha256Name}\t${colons(digestOf(first.der, 'sha256'))}\t`],
  );
  // Without the comment: the file has none.
  return inLines(printed, (lines) => lines.slice(1));
};
