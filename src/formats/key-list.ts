// Lists of keys as curl writes them (`sha256//BASE64=`, several with semicolons), each line with its endpoint in
// front. Lines without one belong to the endpoint that was named beside the file.

import { parseEndpoint, type Endpoint } from '../endpoint.ts';
import { parseFingerprint } from '../trust/fingerprint.ts';
import type { Printer } from './printing.ts';
import { Findings, linesOf, shortened, type Reader, type Source } from './reading.ts';

export const readKeyList: Reader = (source) => {
  const found = new Findings(source);
  for (const [line, text] of linesOf(source.text)) {
    const [first = '', ...others] = text
      .replace(/(?:^|\s)#.*/, '')
      .trim()
      .split(/\s+/);
    if (first === '') continue;
    const isBare = /^sha256\/\//i.test(first);
    const keys = isBare ? [first, ...others] : others;
    const endpoints = isBare ? bareEndpoints(line, { found, source }) : namedEndpoint(line, { first, found });
    if (keys.length === 0) found.problem(line, `${shortened(first)} stands there without a key`);
    for (const endpoint of endpoints) for (const key of keys) addKeys(line, { key, endpoint, found });
  }
  return found;
};

/** `sha256//…;sha256//…` for one endpoint. */
export function addKeys(
  line: number,
  { key, endpoint, found }: { readonly key: string; readonly endpoint: Endpoint; readonly found: Findings },
): void {
  for (const part of key.split(';').filter((one) => one !== '')) {
    const fingerprint = parseFingerprint(part);
    if (fingerprint?.kind === 'spki')
      found.add(line, endpoint, { kind: 'pin', spki: fingerprint.value, until: null });
    else
      found.problem(
        line,
        `${endpoint.name}: ${shortened(part)} is not the fingerprint of a key; write sha256//BASE64=`,
      );
  }
}

function bareEndpoints(
  line: number,
  { found, source }: { readonly found: Findings; readonly source: Source },
): readonly Endpoint[] {
  if (source.endpoints.length === 0)
    found.problem(
      line,
      'it does not say which server this key is of: put HOST:PORT in front, or give --endpoint HOST:PORT',
    );
  return source.endpoints;
}

function namedEndpoint(
  line: number,
  { first, found }: { readonly first: string; readonly found: Findings },
): readonly Endpoint[] {
  try {
    return [parseEndpoint(first)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    found.problem(line, error.message);
    return [];
  }
}

export const printKeyList: Printer = ({ endpoint, pins }) => ({
  lines: [`${endpoint.name} ${pins.map(({ spki }) => spki).join(';')}`],
});
