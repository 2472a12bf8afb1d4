// crlFile: what is wrong with a revocation list is found before anything starts.

import { describe, expect, it } from 'vitest';
import { anchorsOf, forgeCa } from '../trust/forge.ts';
import { crlPem, forgeCrl, listIssuer } from '../trust/forge-crl.ts';
import { good, problemsIn } from './read.ts';

const pemOf = (bytes: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(bytes).toString('base64')}\n-----END CERTIFICATE-----\n`;
const [anchor = new Uint8Array()] = anchorsOf(listIssuer).certificates;
const files = {
  'ca.pem': pemOf(anchor),
  'list.pem': crlPem(forgeCrl()),
  'list.der': forgeCrl(),
  'foreign.pem': crlPem(forgeCrl({ by: forgeCa('Forged Root') })),
  'strange.pem': crlPem(forgeCrl({ by: forgeCa('Somebody Else') })),
};
const route = (...lines: readonly string[]): string =>
  ['routes:', '  - upstream: imaps://imap.example.org', ...lines.map((line) => `    ${line}`), ''].join('\n');

describe('crlFile', () => {
  it('takes PEM, DER and lists of CAs that are no anchors, relative to the file', async () => {
    const text = route('caFile: ca.pem', 'crlFile: [list.pem, list.der, strange.pem]');
    const { config, folder, origins } = await good(text, { files });
    const paths = ['list.pem', 'list.der', 'strange.pem'].map((name) => `${folder}/${name}`);
    expect(config.routes[0]?.crlFiles).toEqual(paths);
    expect(origins.find(({ path }) => path.at(-1) === 'crlFile')).toMatchObject({
      value: paths,
      origin: 'l.yaml:4:14',
    });
  });

  it('above the routes holds for all of them, and a route may have its own', async () => {
    const more =
      '  - upstream: imaps://other.example.org\n    listen: localhost:1144\n    crlFile: list.der\n';
    const { config, folder } = await good(`crlFile: list.pem\n${route()}${more}`, { files });
    expect(config.routes.map(({ crlFiles }) => crlFiles)).toEqual([
      [`${folder}/list.pem`],
      [`${folder}/list.der`],
    ]);
  });

  it.each([
    [
      'is missing',
      'crlFile: none.pem',
      'l.yaml:3:14: crlFile: cannot read the revocation list ./none.pem (ENOENT)',
    ],
    ['is a folder', 'crlFile: .', 'l.yaml:3:14: crlFile: . is not a regular file'],
    [
      'holds no list',
      'crlFile: ca.pem',
      'l.yaml:3:14: crlFile: ./ca.pem: no revocation list in it, neither PEM (X509 CRL) nor DER',
    ],
    [
      'is not signed by the anchor it names',
      'crlFile: foreign.pem\n    caFile: ca.pem',
      'l.yaml:3:14: crlFile: the revocation list in ./foreign.pem is not signed by the CA it names',
    ],
  ])('is refused when it %s', async (_, line, problem) => {
    expect(await problemsIn(route(line), { files })).toEqual([problem]);
  });

  it('belongs to the server: two routes that differ are an error', async () => {
    const second =
      '  - upstream: imaps://imap.example.org\n    listen: localhost:1144\n    crlFile: list.der\n';
    const [problem, ...more] = await problemsIn(`${route('crlFile: list.pem')}${second}`, { files });
    expect(more).toEqual([]);
    expect(problem).toContain('l.yaml:6:14: two routes disagree on crlFile of imap.example.org:993');
  });
});
