// curl's configuration files: `url` and `pinnedpubkey`, options of one transfer up to `next`. With `insecure` curl
// still compares the key; without, it wants a CA as well.

import type { Endpoint } from '../endpoint.ts';
import { addKeys } from './key-list.ts';
import type { Printer } from './printing.ts';
import { Findings, linesOf, shortened, type Reader } from './reading.ts';

const ports: Readonly<Record<string, number>> = {
  imap: 143,
  imaps: 993,
  pop3: 110,
  pop3s: 995,
  smtp: 25,
  smtps: 465,
  https: 443,
};

interface Option {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

export const readCurl: Reader = (source) => {
  const found = new Findings(source);
  for (const transfer of transfersOf(source.text)) {
    const pins = transfer.filter(({ name }) => name === 'pinnedpubkey');
    const last = pins.at(-1);
    if (last === undefined) continue;
    const urls = transfer.filter(({ name }) => name === 'url');
    const endpoints = urls.flatMap((url) => endpointOfUrl(url, found));
    const targets = urls.length === 0 ? source.endpoints : endpoints;
    if (urls.length === 0 && targets.length === 0)
      found.problem(last.line, 'no url stands beside this key: give --endpoint HOST:PORT');
    for (const endpoint of targets) addPins(last, { endpoint, found });
  }
  return found;
};

function addPins(
  { line, value }: Option,
  { endpoint, found }: { readonly endpoint: Endpoint; readonly found: Findings },
): void {
  if (!/^sha256\/\//i.test(value))
    found.problem(line, `${endpoint.name}: ${shortened(value)} is a file: import that file as pem`);
  else addKeys(line, { key: value, endpoint, found });
}

function transfersOf(text: string): readonly (readonly Option[])[] {
  const transfers: Option[][] = [[]];
  for (const [line, raw] of linesOf(text)) {
    const [, name, value] = /^\s*(?:--)?([a-z][\w-]*)(?:\s*[=:]\s*|\s+|$)(.*)$/i.exec(raw) ?? [];
    if (name === undefined) continue;
    if (name.toLowerCase() === 'next') transfers.push([]);
    else transfers.at(-1)?.push({ line, name: name.toLowerCase(), value: unquoted(value ?? '') });
  }
  return transfers;
}

const unquoted = (value: string): string => /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1] ?? value.trim();

function endpointOfUrl({ line, value }: Option, found: Findings): readonly Endpoint[] {
  const [, scheme = '', host = '', port] =
    /^([a-z][a-z0-9+.-]*):\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d+))?/i.exec(value) ?? [];
  const number = port ?? ports[scheme.toLowerCase()];
  // The address may hold a password: it is not repeated.
  if (host === '' || number === undefined) {
    found.problem(line, 'this url has no server or no port that is known');
    return [];
  }
  const endpoint = found.endpoint(line, host, number);
  return endpoint === null ? [] : [endpoint];
}

export const printCurl: Printer = ({ endpoint, pins }) => ({
  lines: [
    `# ${endpoint.name}; insecure leaves out the CA, never the key`,
    'insecure',
    `pinnedpubkey = "${pins.map(({ spki }) => spki).join(';')}"`,
  ],
});
