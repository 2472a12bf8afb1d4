// A configuration file as text (src/config/document.ts): data, or problems with a line and a column that are in the file;
// never an exception, a changed prototype, or more time or memory than its size explains.

import { demand, demandPlain } from './engine/broken.mjs';

const bomb = (levels, wide) =>
  [
    'a0: &a0 [x]',
    ...Array.from(
      { length: levels },
      (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: wide }, () => `*a${at}`).join(', ')}]`,
    ),
  ].join('\n');

/** Nothing but plain data, however deep; by its own alias a part may be in itself, which the schema then refuses. */
function oddIn(value, seen = new Set()) {
  if (value === null || ['string', 'number', 'boolean', 'bigint', 'undefined'].includes(typeof value))
    return null;
  if (typeof value !== 'object') return typeof value;
  const kind = Object.getPrototypeOf(value);
  if (kind !== Object.prototype && kind !== Array.prototype && kind !== null)
    return `a ${kind?.constructor?.name}`;
  if (seen.has(value)) return null;
  seen.add(value);
  for (const part of Object.values(value)) {
    const odd = oddIn(part, seen);
    if (odd !== null) return odd;
  }
  return null;
}

export const target = {
  name: 'yaml',
  files: ['src/config/document', 'src/config/problem'],
  dictionary: [
    '\n',
    '  ',
    '- ',
    ': ',
    'routes:\n',
    '  - upstream: imaps://imap.example.org\n',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!js/function ',
    '!!set ',
    '!!omap ',
    '!!timestamp ',
    '__proto__: ',
    'constructor: ',
    'toString: ',
    '{',
    '}',
    '[',
    ']',
    '? ',
    '| \n',
    '>-\n',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '%TAG ! tag:x,2000:\n',
    '#',
    '"\\u202e"',
    '"\\x1b[31m"',
    '1e999',
    '0x7fffffffffffffff',
    '.nan',
    '.inf',
    '-.inf',
    '9007199254740993',
    '\t',
    '\r',
    '\xef\xbb\xbf',
    '\0',
    'password: hunter2',
    'null',
    '~',
    '"',
    "'",
  ],
  longest: 16_384,
  mostMs: (length) => 300 + length / 4,
  prepare: async (from) => {
    const { readDocument } = await from('src/config/document');
    const { renderProblem } = await from('src/config/problem');
    const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    const run = (bytes) => {
      const { value, problems, locate, locateKey } = readDocument(bytes, 'l.yaml');
      const lines = bytes.toString('utf8').split(/\r\n|\r|\n/);
      for (const problem of problems.slice(0, 50)) {
        const { line, column } = problem;
        demand(line >= 1 && line <= lines.length + 1 && column >= 1, 'a problem stands in the file', {
          line,
          column,
          lines: lines.length,
        });
        demandPlain(renderProblem(problem), 'a problem on a terminal', '\n');
      }
      demand(problems.length <= 20, 'problems of one file are bounded', problems.length);
      demand(problems.length === 0 || Object.keys(value).length === 0, 'there is data or there are problems');
      const odd = oddIn(value);
      demand(odd === null, 'a file holds plain data', odd);
      demand(
        JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) === prototype &&
          {}.polluted === undefined,
        'no prototype is changed',
      );
      for (const path of [
        [],
        ['routes'],
        ['routes', 0, 'upstream'],
        ['__proto__', 'constructor'],
        ['a', 'b', 3],
      ]) {
        for (const place of [locate(path), locateKey(path)]) {
          demand(place.line >= 1 && place.column >= 1, 'every path has a place', place);
          demandPlain((place.excerpt ?? '').replace(/[^]/g, ''), 'an excerpt');
        }
      }
    };
    const seeds = [
      'routes:\n  - upstream: imaps://imap.example.org\n    trust: auto\n',
      'a: &a [1, 2]\nb: *a\nc: {<<: {x: 1}}\n',
      bomb(4, 4),
      bomb(9, 9),
      `${'['.repeat(40)}${']'.repeat(40)}`,
      '{a: '.repeat(2000),
      `${'- '.repeat(2000)}x`,
      'a: 1\na: 2\n',
      '__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n',
      'a: 1e999\nb: 0o7777777777777777777777\nc: 99999999999999999999999999999\nd: .nan\n',
      'x: !!binary aGk=\ny: !!timestamp 2001-01-01\nz: !foo bar\n',
      '? [a, b]\n: c\n? {x: 1}\n: 2\n',
      'a: "\\u202e\\x1b"\nb: |\n  text\n  more\nc: >-\n  x\n',
      '--- 1\n--- 2\n',
      '%YAML 1.1\n---\na: yes\n',
      'a: &a\n  b: *a\n',
      '\xff\xfe',
      `trust: "${'proxy://'.repeat(1500)}me:pw@"\nx: !y 1\n`,
      `${Array.from({ length: 1500 }, (_, at) => `k${at}: 1\n`).join('')}k7: 1\n`,
      `a: ${'x'.repeat(3000)}\n`,
      `${Array.from({ length: 300 }, (_, at) => `k${at}: ${at}`).join('\n')}\n`,
    ];
    return { seeds, run };
  },
};
