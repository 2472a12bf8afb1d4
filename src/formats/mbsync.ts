// mbsyncrc: `CertificateFile` of an IMAPAccount names a file with certificates, of servers and of CAs alike. The file
// is read by whoever called; sections end with an empty line.

import { printPem } from './pem.ts';
import { inLines, type Printer } from './printing.ts';
import { Findings, linesOf, type Reader } from './reading.ts';

interface Setting {
  readonly line: number;
  readonly value: string;
}

export const readMbsync: Reader = (source) => {
  const found = new Findings(source);
  for (const section of sectionsOf(source.text)) {
    const file = section.get('certificatefile');
    if (file === undefined) continue;
    const { line, value: path } = file;
    const host = section.get('host');
    if (host === undefined) {
      found.problem(line, 'no Host stands beside this CertificateFile');
      continue;
    }
    const type = (section.get('ssltype') ?? section.get('tlstype'))?.value.toLowerCase();
    const port = section.get('port')?.value ?? (type === 'imaps' ? 993 : 143);
    const endpoint = found.endpoint(line, host.value, port);
    if (endpoint !== null) found.files.push({ line, path, endpoint });
  }
  return found;
};

function sectionsOf(text: string): readonly ReadonlyMap<string, Setting>[] {
  const sections: Map<string, Setting>[] = [new Map()];
  for (const [line, raw] of linesOf(text)) {
    if (/^\s*$/.test(raw)) sections.push(new Map());
    const [, name, quoted, plain] = /^\s*([A-Za-z]\w*)\s+(?:"([^"]*)"|(\S.*?))\s*$/.exec(raw) ?? [];
    if (name !== undefined) sections.at(-1)?.set(name.toLowerCase(), { line, value: quoted ?? plain ?? '' });
  }
  return sections;
}

export const printMbsync: Printer = (exported) =>
  inLines(printPem(exported), (lines) => [
    '# save this as FILE; in mbsyncrc: CertificateFile FILE',
    ...lines,
  ]);
