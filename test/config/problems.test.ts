// Every problem of a configuration, at the place where it was written.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderProblem } from '../../src/config/problem.ts';
import { load, problemsIn } from './read.ts';
import type { Given } from './read.ts';

/** A whole file that is right; rows below put one wrong thing into it, at a line they can count. */
const route = 'routes:\n  - upstream: imaps://imap.example.org\n';
const pin = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;

interface Row {
  readonly what: string;
  readonly file: string;
  readonly problems: readonly string[];
  readonly given?: Given;
}

const keys =
  'name, listen, allowUsers, clientTls, unsafeListen, upstream, trust, firstUse, pins, dane, caFile, crlFile, handOver, continuity, corroborate, address, serverName, proxy, clientCertificate, minVersion, legacyServer, warm, watch, refusal, refusalCode, limits';

const rows: readonly Row[] = [
  { what: 'an unknown key', file: `truts: ca\n${route}`, problems: ['l.yaml:1:1: unknown key "truts"'] },
  {
    what: 'an unknown key in a route',
    file: `${route}    trusst: ca\n`,
    problems: ['l.yaml:3:5: unknown key "trusst" in routes[0]'],
  },
  ...['pinKind: anchor'].map((line): Row => ({
    what: `${line}, which is for a later version`,
    file: `${route}    ${line}\n`,
    problems: [`l.yaml:3:5: unknown key "${line.split(':')[0]}" in routes[0]`],
  })),
  ...['fleet: {}'].map((line): Row => ({
    what: `${line}, which is for a later version`,
    file: `${line}\n${route}`,
    problems: [`l.yaml:1:1: unknown key "${line.split(':')[0]}"`],
  })),
  {
    what: 'a page that other machines reach',
    file: `admin: {listen: "0.0.0.0:9466"}\n${route}`,
    problems: ['l.yaml:1:17: admin.listen: the page is served on loopback only, and 0.0.0.0 is not'],
  },
  {
    what: 'a page at a name that is not this machine',
    file: `admin: {listen: "box.example:9466"}\n${route}`,
    problems: ['l.yaml:1:17: admin.listen: the page is served on loopback only, and box.example is not'],
  },
  {
    what: 'a page without a port',
    file: `admin: {listen: 127.0.0.1}\n${route}`,
    problems: ['l.yaml:1:17: admin.listen: "127.0.0.1" is not an address to listen on'],
  },
  {
    what: 'the page on the port of metrics',
    file: `admin: {listen: "localhost:9000"}\nmetrics: {listen: "127.0.0.1:9000"}\n${route}`,
    problems: ['l.yaml:1:17: metrics and the page both listen on localhost:9000'],
  },
  {
    what: 'the page on the port metrics have by themselves',
    file: `admin: {listen: "127.0.0.1:9465"}\n${route}`,
    problems: ['l.yaml:1:17: metrics and the page both listen on 127.0.0.1:9465'],
  },
  {
    what: 'the page on the port of a route',
    file: `admin: {listen: "127.0.0.1:1143"}\n${route}`,
    problems: ['l.yaml:3:5: the page and the route imaps-1143 both listen on 127.0.0.1:1143'],
  },
  {
    what: 'a policy that does not exist',
    file: `trust: tofo\n${route}`,
    problems: ['l.yaml:1:8: trust must be one of auto, ca, tofu, ca+tofu, pinned, dane, not "tofo"'],
  },
  {
    what: 'a word where a number must be',
    file: `limits: {lineBytes: "9000"}\n${route}`,
    problems: ['l.yaml:1:21: limits.lineBytes must be a number, not "9000"'],
  },
  {
    what: 'a number out of bounds',
    file: `limits: {dialSeconds: 0, idleMinutes: 99999}\n${route}`,
    problems: [
      'l.yaml:1:23: limits.dialSeconds must be at least 1, not 0',
      'l.yaml:1:39: limits.idleMinutes must be at most 1440, not 99999',
    ],
  },
  {
    what: 'a length of time without a unit, as a number, or out of bounds',
    file: [
      'watch: 6',
      'routes:',
      '  - {upstream: imaps://a.example, watch: "6"}',
      '  - {upstream: imaps://b.example, listen: localhost:2, watch: 4m}',
      '  - {upstream: imaps://c.example, listen: localhost:3, watch: 31d}',
      '',
    ].join('\n'),
    problems: [
      'l.yaml:1:8: watch must be text, not 6',
      'l.yaml:3:42: routes[0].watch: "6" is not a length of time',
      'l.yaml:4:63: routes[1].watch: 4m is too often',
      'l.yaml:5:63: routes[2].watch: 31d is too seldom',
    ],
  },
  {
    what: 'a fraction',
    file: `shutdownSeconds: 1.5\n${route}`,
    problems: ['l.yaml:1:18: shutdownSeconds must be a whole number, not 1.5'],
  },
  {
    what: 'a mapping where routes must be a list',
    file: 'routes:\n  upstream: imaps://a.example\n',
    problems: ['l.yaml:2:3: routes must be a list, not a mapping'],
  },
  {
    what: 'a route without upstream',
    file: 'routes:\n  - trust: ca\n',
    problems: ['l.yaml:2:5: routes[0].upstream is missing'],
  },
  { what: 'no route', file: 'trust: ca\n', problems: ['l.yaml:1:1: there is no route'] },
  { what: 'an empty file', file: '', problems: ['l.yaml:1:1: there is no route'] },
  {
    what: 'a file that is a list',
    file: '- a\n',
    problems: [
      'l.yaml:1:1: the configuration must be a mapping (key: value), not a list',
      'l.yaml:1:1: there is no route',
    ],
  },
  {
    what: 'a duplicate key',
    file: `trust: ca\ntrust: tofu\n${route}`,
    problems: ['l.yaml:2:1: Map keys must be unique'],
  },
  {
    what: 'two documents',
    file: `${route}---\n${route}`,
    problems: ['l.yaml:3:1: Source contains multiple documents; please use YAML.parseAllDocuments()'],
  },
  { what: 'a tag', file: `trust: !secret ca\n${route}`, problems: ['l.yaml:1:8: Unresolved tag: !secret'] },
  {
    what: 'a tab as indent',
    file: 'routes:\n\t- upstream: imaps://a.example\n',
    problems: ['l.yaml:2:1: Tabs are not allowed as indentation'],
  },
  {
    what: 'a merge key, which YAML 1.2 does not know',
    file: `common: &common {trust: ca}\nroutes:\n  - <<: *common\n    upstream: imaps://a.example\n`,
    problems: ['l.yaml:1:1: unknown key "common"', 'l.yaml:3:5: unknown key "<<" in routes[0]'],
  },
  {
    what: 'an upstream that is no URL',
    file: 'routes:\n  - upstream: imap.example.org:993\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imap.example.org:993" is not a URL'],
  },
  {
    what: 'an unknown scheme',
    file: 'routes:\n  - upstream: imapss://imap.example.org\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imapss" is not a scheme letterlock knows'],
  },
  {
    what: 'a user name in a URL',
    file: 'routes:\n  - upstream: imaps://me:secret@imap.example.org\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imaps://*********@imap.example.org" holds a user name'],
  },
  {
    what: 'a user name in a URL whose password holds what ends a host',
    file: 'routes:\n  - upstream: "imaps://me:se#cret@imap.example.org"\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imaps://**********@imap.example.org" holds a user name'],
  },
  {
    what: 'a user name in a URL whose password holds a blank',
    file: 'routes:\n  - upstream: "imaps://me:se cret@imap.example.org"\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imaps://**********@imap.example.org" holds a user name'],
  },
  {
    what: 'a user name in a URL that holds a blank, as its password does',
    file: 'routes:\n  - upstream: "imaps://m e:se cret@imap.example.org"\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imaps://***********@imap.example.org" holds a user name'],
  },
  ...['!!binary aGk=', '!!timestamp 2001-01-01', '!!set {a, b}'].map((value): Row => ({
    what: `the tag of ${value}`,
    file: `x: ${value}\n${route}`,
    problems: [`l.yaml:1:4: Unresolved tag: tag:yaml.org,2002:${/!!(\w+)/.exec(value)?.[1] ?? ''}`],
  })),
  {
    what: 'a path in a URL',
    file: 'routes:\n  - upstream: imaps://imap.example.org/INBOX\n',
    problems: [
      'l.yaml:2:15: routes[0].upstream: "imaps://imap.example.org/INBOX" holds a path, query or fragment',
    ],
  },
  {
    what: 'a query in a URL',
    file: 'routes:\n  - upstream: imaps://imap.example.org?a=b\n',
    problems: [
      'l.yaml:2:15: routes[0].upstream: "imaps://imap.example.org?a=b" holds a path, query or fragment',
    ],
  },
  {
    what: 'a host that turns into an address',
    file: 'routes:\n  - upstream: imaps://0x7f.1\n',
    problems: [
      'l.yaml:2:15: routes[0].upstream: "0x7f.1" turns into an address: write an IPv4 address as four decimals, like 192.0.2.1',
    ],
  },
  {
    what: 'a URL without host',
    file: 'routes:\n  - upstream: imaps://:993\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "imaps://:993" names no host'],
  },
  {
    what: 'sieves:// without a port',
    file: 'routes:\n  - upstream: sieves://mail.example.org\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "sieves://mail.example.org" names no port'],
  },
  {
    what: 'tls:// without a port',
    file: 'routes:\n  - upstream: tls://mail.example.org\n    listen: localhost:1\n',
    problems: ['l.yaml:2:15: routes[0].upstream: "tls://mail.example.org" names no port'],
  },
  {
    what: 'tls:// without a local port',
    file: 'routes:\n  - upstream: tls://ldap.example.org:636\n',
    problems: ['l.yaml:2:5: tls:// has no usual local port'],
  },
  {
    what: 'a listen address that is a number',
    file: `${route}    listen: 1143\n`,
    problems: [
      'l.yaml:3:13: routes[0].listen must be HOST:PORT, unix:PATH, fd:NAME or {unix, mode, group}, or a list of these, not 1143',
    ],
  },
  {
    what: 'a listen address without a host',
    file: `${route}    listen: ":1143"\n`,
    problems: ['l.yaml:3:13: routes[0].listen: ":1143" is not an address to listen on'],
  },
  {
    what: 'a plaintext listener off loopback',
    file: `${route}    listen: 0.0.0.0:1143\n`,
    problems: [
      "l.yaml:3:13: 0.0.0.0:1143 can be reached from other machines, and the client's password would cross the network in clear",
    ],
  },
  {
    what: 'a plaintext listener on a name that is not localhost',
    file: `${route}    listen: box.example:1143\n`,
    problems: [
      "l.yaml:3:13: box.example:1143 can be reached from other machines, and the client's password would cross the network in clear",
    ],
  },
  {
    what: 'unsafeListen: false off loopback',
    file: `${route}    listen: "[::]:1143"\n    unsafeListen: false\n`,
    problems: [
      "l.yaml:3:13: [::]:1143 can be reached from other machines, and the client's password would cross the network in clear",
    ],
  },
  {
    what: 'two routes on one port',
    file: `${route}  - upstream: imap://b.example\n`,
    problems: ['l.yaml:3:5: localhost:1143 is taken by the route to imaps://imap.example.org (l.yaml:2:5)'],
  },
  {
    what: 'localhost and 127.0.0.1 on one port',
    file: `${route}  - upstream: imap://b.example\n    listen: 127.0.0.1:1143\n`,
    problems: ['l.yaml:4:13: 127.0.0.1:1143 is taken by the route to imaps://imap.example.org (l.yaml:2:5)'],
  },
  {
    what: 'metrics on the port of a route',
    file: `${route}metrics: {listen: "127.0.0.1:1143"}\n`,
    problems: ['l.yaml:2:5: metrics and the route imaps-1143 both listen on 127.0.0.1:1143'],
  },
  {
    what: 'two routes of one name',
    file: `${route}    name: a\n  - upstream: pop3s://b.example\n    name: a\n`,
    problems: ['l.yaml:5:11: two routes are named a (l.yaml:3:11)'],
  },
  {
    what: 'a name that is no label',
    file: `${route}    name: "a b"\n`,
    problems: [
      'l.yaml:3:11: routes[0].name must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first, not "a b"',
    ],
  },
  {
    what: 'a pin that is none',
    file: `${route}    pins: [sha256//abc]\n`,
    problems: ['l.yaml:3:12: routes[0].pins[0]: "sha256//abc" is not a key fingerprint'],
  },
  {
    what: 'the fingerprint of a certificate as a pin',
    file: `${route}    pins:\n      - "${'AB:'.repeat(31)}AB"\n`,
    problems: [
      `l.yaml:4:9: routes[0].pins[0]: "${'AB:'.repeat(31)}AB" may be the fingerprint of a certificate; pins name keys`,
    ],
  },
  {
    what: 'an address without a host',
    file: `${route}    address: ":993"\n`,
    problems: [
      'l.yaml:3:14: routes[0].address: "" has an empty label: remove the extra dot or give the name',
    ],
  },
  {
    what: 'a server name with a port',
    file: `${route}    serverName: "imap.example.org:993"\n`,
    problems: [
      'l.yaml:3:17: routes[0].serverName: "imap.example.org:993" is not an IPv6 address: write it as [2001:db8::1]',
    ],
  },
  {
    what: 'refusal: login outside IMAP',
    file: 'routes:\n  - upstream: pop3s://a.example\n    refusal: login\n',
    problems: ['l.yaml:3:14: refusal: login is for IMAP only'],
  },
  {
    what: 'refusalCode outside SMTP',
    file: `${route}    refusalCode: 554\n`,
    problems: ['l.yaml:3:18: refusalCode is for SMTP and LMTP only'],
  },
  {
    what: 'a caFile that is missing',
    file: `${route}    caFile: nope.pem\n`,
    problems: ['l.yaml:3:13: caFile: cannot read the CA file ./nope.pem'],
  },
  {
    what: 'a caFile without certificates',
    file: `caFile: [system, empty.pem]\n${route}`,
    given: { files: { 'empty.pem': 'nothing\n' } },
    problems: ['l.yaml:1:9: caFile: ./empty.pem holds no certificate'],
  },
  {
    what: 'a caFile with a broken certificate',
    file: `caFile: bad.pem\n${route}`,
    given: { files: { 'bad.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' } },
    problems: ['l.yaml:1:9: caFile: certificate 1 in ./bad.pem cannot be read'],
  },
  {
    what: 'metrics as a number',
    file: `metrics: 9465\n${route}`,
    problems: ['l.yaml:1:10: metrics must be a mapping (key: value), not 9465'],
  },
  {
    what: 'a level of metrics that there is not',
    file: `metrics: {level: minimum}\n${route}`,
    problems: ['l.yaml:1:18: metrics.level must be one of full, minimal, not "minimum"'],
  },
  {
    what: 'metrics without room for a single route',
    file: `metrics: {maxLabelValues: 0}\n${route}`,
    problems: ['l.yaml:1:27: metrics.maxLabelValues must be at least 1, not 0'],
  },
  {
    what: 'a socket that is neither default nor a mapping',
    file: `admin: {socket: /run/x.sock}\n${route}`,
    problems: ['l.yaml:1:17: admin.socket must be default or {path, mode, group}, not "/run/x.sock"'],
  },
  {
    what: 'a socket without a path',
    file: `admin: {socket: {mode: "0600"}}\n${route}`,
    problems: ['l.yaml:1:17: admin.socket.path is missing'],
  },
  {
    what: 'a socket mode that YAML reads as decimal',
    file: `admin: {socket: {path: /run/x, mode: 0660}}\n${route}`,
    problems: ['l.yaml:1:38: admin.socket.mode must be text, not 660'],
  },
  {
    what: 'a socket open to everybody',
    file: `admin: {socket: {path: /run/x, mode: "0666"}}\n${route}`,
    problems: ['l.yaml:1:38: admin.socket.mode: "0666" lets every local user approve keys'],
  },
  {
    what: 'a socket path that the system cuts',
    file: `admin: {socket: {path: /run/${'x'.repeat(99)}}}\n${route}`,
    problems: [
      `l.yaml:1:17: the path of the admin socket has 104 bytes, 103 are possible: /run/${'x'.repeat(99)}`,
    ],
  },
  {
    what: 'a state whose socket path is too long',
    file: `state: /var/${'x'.repeat(100)}\n${route}`,
    problems: [
      `l.yaml:1:1: the path of the admin socket has 116 bytes, 103 are possible: /var/${'x'.repeat(100)}/admin.sock`,
    ],
  },
  {
    what: 'everything at once, sorted by place',
    file: `trust: tofo\nstat: x\nroutes:\n  - upstream: imaps://a.example/x\n    daan: true\n  - upstream: tls://b.example:1\n  - listen: 0.0.0.0:1\n    upstream: imaps://c.example\n`,
    given: { env: { LETTERLOCK_TRSUT: 'ca' } },
    problems: [
      'l.yaml:1:8: trust must be one of auto, ca, tofu, ca+tofu, pinned, dane, not "tofo"',
      'l.yaml:2:1: unknown key "stat"',
      'l.yaml:4:15: routes[0].upstream: "imaps://a.example/x" holds a path, query or fragment',
      'l.yaml:5:5: unknown key "daan" in routes[0]',
      'l.yaml:6:5: tls:// has no usual local port',
      "l.yaml:7:13: 0.0.0.0:1 can be reached from other machines, and the client's password would cross the network in clear",
      'environment: unknown variable LETTERLOCK_TRSUT',
    ],
  },
];

describe('a configuration is refused for', () => {
  it.each(rows)('$what', async ({ file, problems, given }) => {
    expect(await problemsIn(file, given)).toEqual(problems);
  });

  it('nothing when nothing is wrong', async () => {
    expect(await problemsIn(`trust: ca\n${route}    pins: ["${pin}"]\n    listen: "[::1]:1143"\n`)).toEqual(
      [],
    );
    expect(await problemsIn(`${route}    listen: 0.0.0.0:1143\n    unsafeListen: true\n`)).toEqual([]);
    expect(
      await problemsIn(`${route}  - upstream: imap://b.example\n    listen: 127.0.0.2:1143\n    name: b\n`),
    ).toEqual([]);
    expect(await problemsIn(`admin: {socket: {path: /run/${'x'.repeat(98)}}}\n${route}`)).toEqual([]);
  });

  it('a file that is not there, or is no text', async () => {
    expect(await problemsIn(new Uint8Array([0xff, 0xfe, 0x41]))).toEqual([
      'l.yaml:1:1: the file is not UTF-8 text',
    ]);
    expect(await problemsIn(new Uint8Array(1_048_577).fill(0x23))).toEqual([
      'l.yaml:1:1: the file is larger than 1048576 bytes',
    ]);
  });

  it('depth and alias bombs, without taking memory for them', async () => {
    const tooDeep = ['l.yaml:1:1: the file is nested deeper than 32 levels'];
    for (const depth of [50, 200_000]) {
      expect(await problemsIn(`routes: ${'['.repeat(depth)}\n`)).toEqual(tooDeep);
      expect(await problemsIn(`routes: ${'{a: '.repeat(depth)}\n`)).toEqual(tooDeep);
      expect(await problemsIn(`${'- '.repeat(depth)}\n`)).toEqual(tooDeep);
    }
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[at]}`).join(',')}]`),
    ];
    expect(await problemsIn(bomb.join('\n'))).toEqual(['l.yaml:1:1: aliases expand to more than 100 nodes']);
  });
});

describe('a suggestion', () => {
  it.each([
    ['truts: ca', 'did you mean trust?'],
    ['firstuse: hold', 'did you mean firstUse?'],
    ['shutdownsecond: 1', 'did you mean shutdownSeconds?'],
    ['trust: pined', 'did you mean pinned?'],
  ])('for %s', async (line, suggestion) => {
    const loaded = await load(`${line}\n${route}`);
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.suggestion)).toEqual([suggestion]);
  });

  it('for two URLs on one port is a port that is free', async () => {
    const loaded = await load(null, {
      routes: ['imaps://a.example', '1144=imaps://b.example', 'imap://c.example'],
    });
    expect(loaded.ok ? [] : loaded.problems).toEqual([
      {
        source: 'command line',
        line: null,
        column: null,
        excerpt: null,
        message: 'localhost:1143 is taken by the route to imaps://a.example',
        suggestion: 'give this one a port of its own: 1145=imap://c.example',
      },
    ]);
  });

  it('stands with the line and a caret under it', async () => {
    const loaded = await load(`${route}    trusst: ca\n`);
    expect(loaded.ok ? '' : loaded.problems.map(renderProblem).join('')).toBe(
      'l.yaml:3:5: unknown key "trusst" in routes[0]\n        trusst: ca\n        ^\n    hint: did you mean trust?',
    );
  });

  it('never shows a password, a control character or more than a screen', async () => {
    const loaded = await load(
      `routes:\n  - upstream: "imaps://me:my secret@a.example/\\u001b[31m"\n    "k\u202ey": ${'x'.repeat(5000)}\n`,
    );
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toContain('holds a user name');
    expect(shown).toContain('unknown key');
    expect(shown).not.toContain('secret');
    expect(shown).not.toContain('\u001b');
    expect(shown).not.toContain('\u202e');
    expect(Math.max(...shown.split('\n').map((line) => line.length))).toBeLessThan(300);
  });
});

describe('whatever the file holds', () => {
  it('a mapping of many keys takes time with their number, not with its square', async () => {
    const many = Array.from({ length: 60_000 }, (_, at) => `k${at}: 1\n`).join('');
    expect(await problemsIn(`${many}k7: 1\n${route}`)).toEqual(['l.yaml:60001:1: Map keys must be unique']);
  });

  it('a line that nobody wrote by hand is not quoted, and what it holds is not looked for', async () => {
    const line = `trust: "${'proxy://'.repeat(5000)}me:secret@"`;
    const loaded = await load(`${line}\n${'k'.repeat(900)}: 1\n${route}`);
    const problems = loaded.ok ? [] : loaded.problems;
    expect(problems.map(({ line: at, excerpt }) => [at, excerpt === null])).toEqual([
      [1, true],
      [2, false],
    ]);
    for (const problem of problems) expect(renderProblem(problem).length).toBeLessThan(1000);
  });

  it('loading never rejects, and every place lies in the file', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .array(
          fc.constantFrom(
            'routes:',
            '\n',
            '  ',
            '- ',
            'upstream: ',
            'imaps://a',
            '.example',
            '{',
            '}',
            '[',
            ']',
            '&a ',
            '*a',
            '"',
            "'",
            ': ',
            '#',
            '|',
            '\t',
            'trust: ',
            'ca',
            '__proto__: ',
            '? ',
            '<<: ',
          ),
          { maxLength: 40 },
        )
        .map((parts) => parts.join('')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (file) => {
        const loaded = await load(file);
        const lines = file.split(/\r\n|\r|\n/).length;
        for (const { line, message } of loaded.ok ? [] : loaded.problems) {
          expect(line ?? 1).toBeLessThanOrEqual(lines);
          expect(message).not.toMatch(/Invalid input|undefined|\[object/);
        }
      }),
      { numRuns: 150 },
    );
  });
});

it('names every key of a route when none is near', async () => {
  const loaded = await load(`${route}    zzzzzzzz: 1\n`);
  expect(loaded.ok ? null : loaded.problems[0]?.suggestion).toBe(`known keys here: ${keys}`);
});
