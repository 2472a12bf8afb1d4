// The password of a proxy is the one secret a configuration may hold. Whatever is wrong with the file, and wherever
// the mistake is, it is in no problem, no excerpt and no row.

import { describe, expect, it } from 'vitest';
import { maskLine, renderProblem } from '../../src/config/problem.ts';
import { load } from './read.ts';

const withLine = (line: string): string => `routes:\n  - upstream: imaps://a.example\n    ${line}\n`;

describe('a password is in nothing that is shown of', () => {
  it.each([
    ['a proxy with a path', 'proxy: socks5://me:hunter2@a.example/x'],
    ['a password that holds a slash', 'proxy: socks5://me:hunter2/x@a.example'],
    ['a password that holds a hash', 'proxy: "socks5://me:hunter2#x@a.example"'],
    ['a password that holds a blank', 'proxy: socks5://me:x hunter2@a.example:bad'],
    ['a password that holds an @', 'proxy: socks5://me:x@hunter2@a.example:bad'],
    ['a scheme that is unknown', 'proxy: sockz://me:x hunter2@a.example'],
    ['a password that is badly encoded', 'proxy: socks5://me:%zzhunter2@a.example'],
    ['a scheme with one slash', 'proxy: socks5:/me:hunter2@a.example'],
    ['a scheme without slashes', 'proxy: socks5:me:hunter2@a.example'],
    ['no scheme', 'proxy: me:hunter2@a.example:1080'],
    ['no scheme and a blank', 'proxy: "me:x hunter2@a.example:1080"'],
    ['no scheme under its key', 'proxy: {url: "me x hunter2@a.example:1080"}'],
    ['no colon', 'proxy: hunter2@a.example'],
    ['no scheme where it does not belong', 'minVersion: me:hunter2@a.example'],
    ['no scheme in place of an upstream', 'address: me:hunter2@a.example'],
    ['no scheme in place of a name', 'serverName: me:hunter2@a.example'],
    ['escaped slashes', 'proxy: "socks5:\\/\\/me:hunter2@a.example:bad"'],
    ['a proxy beside other mistakes', 'proxy: {url: "http://me:hunter2@a.example", passwordFil: p}'],
    ['a proxy with a password file too', 'proxy: {url: "http://me:hunter2@a.example", passwordFile: p}'],
    ['a password under a key of its own', 'proxy: {url: "http://me@a.example", password: hunter2}'],
    ['the same in quotes', 'proxy: {url: "http://me@a.example", "password": "x hunter2"}'],
    ['a proxy where it does not belong', 'minVersion: http://me:hunter2@a.example'],
    ['a long one there', `minVersion: http://me:hunter2${'x'.repeat(100)}@a.example`],
    ['a proxy in place of a listener', 'listen: socks5://me:hunter2@a.example'],
    ['a proxy as upstream', 'address: socks5://me:hunter2@a.example'],
    ['a key that is a proxy', '"socks5://me:hunter2@a.example": 1'],
    ['a tag beside it', 'proxy: !x socks5://me:hunter2@a.example'],
  ])('%s', async (_, line) => {
    const loaded = await load(withLine(line));
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toContain('l.yaml:3:');
    expect(shown).not.toContain('hunter2');
    expect(JSON.stringify(loaded.ok ? [] : loaded.problems)).not.toContain('hunter2');
  });

  it('rows of what is in force, where the host still is', async () => {
    for (const [line, files] of [
      ['proxy: socks5://me:hunter2@a.example', {}],
      ['proxy: {url: "socks5://me:hunter2@a.example"}', {}],
      ['proxy: {url: "socks5://me@a.example", passwordFile: p}', { p: 'hunter2\n' }],
    ] as const) {
      const loaded = await load(withLine(line), { files });
      const rows = JSON.stringify(loaded.ok ? loaded.origins : []);
      expect(rows).toContain('socks5://me');
      expect(rows).toContain('@a.example:1080');
      expect(rows).not.toContain('hunter2');
    }
  });
});

it.each([
  ['proxy: socks5://me:x@a.example:bad', 'proxy: socks5://****@a.example:bad'],
  ['proxy: {url: "http://me:x@a.example"}', 'proxy: {url: "http://****@a.example"}'],
  ['proxy: me:x@a.example', 'proxy: ****@a.example'],
  ['"me:x@a.example" is not it', '"****@a.example" is not it'],
])('%s is shown with scheme and host', (written, shown) => {
  expect(maskLine(written)).toBe(shown);
});

it('what is no password stays as it is', () => {
  for (const text of [
    '  upstream: imaps://imap.example.org # ask me@example.org',
    '  - {unix: /run/x@y.sock, mode: "0660"}',
    '  passwordFile: proxy.password',
    'http://proxy.example:3128 is not enough',
    'l.yaml:3:5: routes[0].listen: ask me@example.org',
  ])
    expect(maskLine(text)).toBe(text);
});
