// mutt's `certificate_file`: the certificates its user accepted, in PEM. Where only the name was wrong, mutt's GnuTLS
// build writes `#H HOST MD5` in place of a certificate.

import type { Endpoint } from '../endpoint.ts';
import { readHash } from './hash-text.ts';
import { printPem, readPem } from './pem.ts';
import { inLines, type Printer } from './printing.ts';
import { Findings, linesOf, shortened, type Reader, type Reading } from './reading.ts';

export const readMutt: Reader = (source) => {
  const found = new Findings(source);
  const marks = linesOf(source.text).filter(([, text]) => text.startsWith('#H '));
  for (const [line, text] of marks) addMark(line, { text, endpoints: source.endpoints, found });
  const blocks = source.text.includes('-----BEGIN ') || marks.length === 0 ? readPem(source) : null;
  return blocks === null ? found : joined(found, blocks);
};

const joined = (one: Reading, other: Reading): Reading => ({
  entries: [...one.entries, ...other.entries],
  files: [],
  skipped: [...one.skipped, ...other.skipped],
  problems: [...one.problems, ...other.problems],
});

function addMark(
  line: number,
  {
    text,
    endpoints,
    found,
  }: { readonly text: string; readonly endpoints: readonly Endpoint[]; readonly found: Findings },
): void {
  const [, host = '', fingerprint = ''] = /^#H (\S+) (.*)$/.exec(text) ?? [];
  const hash = readHash(fingerprint);
  if (hash === null)
    return found.problem(line, `${shortened(text)} is not a line of mutt: #H HOST FINGERPRINT`);
  if (endpoints.length === 0)
    return found.problem(line, `${host}: the port is not said: give --endpoint ${host}:PORT`);
  const named = endpoints.filter((endpoint) => endpoint.host === host.toLowerCase());
  if (named.length === 0) found.skip(line, `${host}: another server`);
  for (const endpoint of named) found.hash(line, endpoint, { of: 'certificate', until: null, ...hash });
}

export const printMutt: Printer = (exported) =>
  inLines(printPem(exported), (lines) => [
    '# save this as FILE; in muttrc: set certificate_file="FILE"',
    ...lines,
  ]);
