// Hooks as they are written: what holds, what is wrong and where, and that no secret is shown.

import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shownHook } from '../../src/config/hooks.ts';
import { placeName, renderProblem } from '../../src/config/problem.ts';
import { usualClasses } from '../../src/ops/hooks/classes.ts';
import { selfSigned } from '../net/peers.ts';
import { secret, Workshop } from '../ops/hooks/world.ts';
import { good, load, problemsIn, type Given } from './read.ts';

const workshop = new Workshop();
let ca = '';
beforeAll(async () => {
  ca = (await selfSigned()).cert;
  workshop.program('notify', 'exit 0');
  writeFileSync(workshop.path('plain'), 'x');
  writeFileSync(workshop.program('open', ''), 'x');
  chmodSync(workshop.path('open'), 0o777);
});
afterAll(() => workshop.remove());

const pin = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;
const program = workshop.path('notify');
const file = (...lines: readonly string[]): string =>
  ['routes:', '  - upstream: imaps://a.example', 'hooks:', ...lines.map((line) => `  ${line}`), ''].join(
    '\n',
  );
const receiver = (...more: readonly string[]): string =>
  file(
    '- name: pager',
    '  webhook: https://hooks.example.com/T0/hunter2',
    ...more.map((line) => `  ${line}`),
  );

describe('a hook', () => {
  it('that runs a program has the usual classes, ten seconds, and ten minutes between repeats', async () => {
    const { config } = await good(file('- name: desktop', `  exec: [${program}, a, "b c"]`));
    expect(config.hooks).toEqual([
      {
        kind: 'exec',
        name: 'desktop',
        on: usualClasses,
        argv: [program, 'a', 'b c'],
        timeoutMs: 10_000,
        repeatMs: 600_000,
      },
    ]);
  });

  it('finds a program without a slash in PATH, and one with a slash beside the file', async () => {
    const byName = file('- {name: a, exec: [notify]}');
    expect(
      (await good(byName, { env: { PATH: `relative:/nowhere:${workshop.folder}` } })).config.hooks,
    ).toMatchObject([{ argv: [program] }]);
    const beside = await load(file('- {name: a, exec: [./notify.sh]}'), { files: { 'notify.sh': 'x' } });
    expect(
      beside.ok ? [] : beside.problems.map(({ message }) => message.replace(beside.folder, '.')),
    ).toEqual(['exec: ./notify.sh cannot be executed']);
  });

  it('that tells a receiver takes everything it may have', async () => {
    const written = file(
      '- name: pager',
      '  on: [refused, candidate, refused]',
      '  webhook: https://Hooks.Example.com:8443/a/b?c=d',
      '  secretFile: hook.secret',
      '  caFile: [system, ca.pem]',
      `  pins: ["${pin}"]`,
      '  timeoutSeconds: 30',
      '  retries: 0',
      '  repeatMinutes: 0',
    );
    const { config, folder, warnings } = await good(written, {
      files: { 'hook.secret': `${secret}\n`, 'ca.pem': ca },
    });
    expect(config.hooks).toEqual([
      {
        kind: 'webhook',
        name: 'pager',
        on: ['refused', 'candidate'],
        url: { scheme: 'https', host: 'hooks.example.com', port: 8443, path: '/a/b?c=d' },
        secret,
        anchors: ['system', `${folder}/ca.pem`],
        pins: [pin],
        timeoutMs: 30_000,
        repeatMs: 0,
        retries: 0,
      },
    ]);
    expect(warnings.map(({ message }) => message)).toEqual([
      `secretFile: every user of this machine can read ${folder}/hook.secret`,
    ]);
  });

  it.each([
    ['alone asks the system’s CAs', [], ['system']],
    ['with pins asks no CA', [`pins: ["${pin}"]`], null],
    ['with both asks both', [`pins: ["${pin}"]`, 'caFile: [system]'], ['system']],
  ])('a receiver %s', async (_, lines, anchors) => {
    const { config } = await good(receiver(`secret: ${secret}`, ...lines));
    expect(config.hooks).toMatchObject([{ anchors, retries: 5 }]);
  });

  it.each([
    ['http://localhost:8080/x', { scheme: 'http', host: 'localhost', port: 8080, path: '/x' }],
    ['http://[::1]', { scheme: 'http', host: '::1', port: 80, path: '/' }],
    ['https://192.0.2.1', { scheme: 'https', host: '192.0.2.1', port: 443, path: '/' }],
    ['https://a.example?x', { scheme: 'https', host: 'a.example', port: 443, path: '/?x' }],
  ])('may be at %s', async (url, expected) => {
    const { config } = await good(file(`- {name: a, webhook: "${url}", secret: ${secret}}`));
    expect(config.hooks).toMatchObject([{ url: expected }]);
  });
});

const rows: readonly (readonly [what: string, text: string, problems: readonly string[], given?: Given])[] = [
  ['no list', file('name: a'), ['l.yaml:4:3: hooks must be a list, not a mapping']],
  ['no name', file(`- {exec: [${program}]}`), ['l.yaml:4:5: hooks[0].name is missing']],
  [
    'a name with a blank',
    file(`- {name: "a b", exec: [${program}]}`),
    ['l.yaml:4:12: hooks[0].name: it stands in metrics and logs'],
  ],
  [
    'a name twice',
    file(`- {name: a, exec: [${program}]}`, `- {name: a, exec: [${program}]}`),
    ['l.yaml:5:12: hooks[1].name: "a" is taken'],
  ],
  ['nothing to do', file('- name: a'), ['l.yaml:4:5: hooks[0]: it says nothing to do']],
  [
    'two things to do',
    file(`- {name: a, exec: [${program}], webhook: "https://a.example", secret: ${secret}}`),
    ['l.yaml:4:5: hooks[0]: exec and webhook are two hooks'],
  ],
  [
    'a class that is none',
    file(`- {name: a, on: [refusd], exec: [${program}]}`),
    [expect.stringMatching(/^l\.yaml:4:20: hooks\[0\]\.on\[0\] must be one of first-use, .*not "refusd"$/)],
  ],
  [
    'the class of tests',
    file(`- {name: a, on: [test], exec: [${program}]}`),
    [expect.stringMatching(/^l\.yaml:4:20: hooks\[0\]\.on\[0\] must be one of/)],
  ],
  [
    'no class',
    file(`- {name: a, on: [], exec: [${program}]}`),
    ['l.yaml:4:19: hooks[0].on must be at least 1 long, not a list'],
  ],
  [
    'a program as a word',
    file(`- {name: a, exec: ${program}}`),
    [expect.stringMatching(/^l\.yaml:4:21: hooks\[0\]\.exec must be a list/)],
  ],
  [
    'no program',
    file('- {name: a, exec: [/nowhere/at/all]}'),
    ['l.yaml:4:21: exec: /nowhere/at/all is not there, or no program'],
  ],
  ['a folder', file('- {name: a, exec: [/tmp]}'), ['l.yaml:4:21: exec: /tmp is not there, or no program']],
  [
    'a program that is not in PATH',
    file('- {name: a, exec: [notify]}'),
    ['l.yaml:4:21: exec: there is no program "notify" in PATH'],
    { env: { PATH: '/nowhere' } },
  ],
  [
    'a file that cannot be executed',
    file(`- {name: a, exec: [${workshop.path('plain')}]}`),
    [`l.yaml:4:21: exec: ${workshop.path('plain')} cannot be executed`],
  ],
  [
    'a program that all can change',
    file(`- {name: a, exec: [${workshop.path('open')}]}`),
    [`l.yaml:4:21: exec: every user of this machine can change ${workshop.path('open')}`],
  ],
  [
    'retries of a program',
    file(`- {name: a, exec: [${program}], retries: 1}`),
    [expect.stringMatching(/^l\.yaml:4:\d+: hooks\[0\]\.retries: it is for webhook:$/)],
  ],
  ['a receiver without a secret', receiver(), ['l.yaml:4:5: hooks[0]: it has no secret to sign with']],
  [
    'two secrets',
    receiver(`secret: ${secret}`, 'secretFile: x'),
    [expect.stringMatching(/^l\.yaml:7:17: hooks\[0\]\.secretFile: secret stands there too/)],
  ],
  [
    'a secret of another kind',
    receiver('secret: hunter2'),
    ['l.yaml:6:13: hooks[0].secret: it does not begin with whsec_'],
  ],
  [
    'a short one',
    receiver('secret: whsec_aHVudGVyMg=='),
    ['l.yaml:6:13: hooks[0].secret: it has 7 octets; 24 to 64 are wanted'],
  ],
  [
    'a file without one',
    receiver('secretFile: p'),
    ['l.yaml:6:17: secretFile: ./p holds no secret: it does not begin with whsec_'],
    { files: { p: 'hunter2' } },
  ],
  ['no file', receiver('secretFile: absent'), ['l.yaml:6:17: secretFile: cannot read ./absent (ENOENT)']],
  [
    'a CA file that is none',
    receiver(`secret: ${secret}`, 'caFile: p'),
    ['l.yaml:7:13: caFile: ./p holds no certificate'],
    { files: { p: 'x' } },
  ],
  [
    'a pin that is none',
    receiver(`secret: ${secret}`, 'pins: [x]'),
    [expect.stringMatching(/pins\[0\]: "x" is not a key fingerprint/)],
  ],
  [
    'too many',
    file(...Array.from({ length: 17 }, (_, at) => `- {name: h${at}, exec: [${program}]}`)),
    [expect.stringMatching(/hooks must be at most 16 long/)],
  ],
  ...(
    [
      ['http://a.example/', 'a.example is not on this machine, and http:// is in clear'],
      ['https://me:hunter2@a.example/', 'it holds a user name'],
      ['https://a.example/#x', 'it holds a fragment'],
      ['https://', 'it names no host'],
      ['https://a.example:99999/', '"99999" is not a port'],
      ['https://a.example/a b', 'its path holds a character that no URL has'],
      ['ftp://a.example/', '"ftp" is no scheme of a webhook'],
      ['a.example', 'it is not a URL'],
    ] as const
  ).map(
    ([url, message]) =>
      [
        url,
        file(`- {name: a, webhook: "${url}", secret: ${secret}}`),
        [
          expect.stringMatching(
            new RegExp(`^l\\.yaml:4:24: hooks\\[0\\]\\.webhook: ${message.replaceAll('.', '\\.')}`),
          ),
        ],
      ] as const,
  ),
];

describe('is a problem at its place:', () => {
  it.each(rows.map(([what, ...row]) => [what, row] as const))('%s', async (_, [text, problems, given]) => {
    expect(await problemsIn(text, given)).toEqual(problems);
  });

  it.each([
    [file('- {name: a, exce: [x]}'), 'did you mean exec?'],
    [file(`- {name: a, on: [candidat], exec: [${program}]}`), 'did you mean candidate?'],
    [
      receiver(),
      'add secretFile: hook.secret and make one: printf \'whsec_%s\\n\' "$(openssl rand -base64 32)" > hook.secret',
    ],
  ])('%s', async (text, suggestion) => {
    const loaded = await load(text);
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.suggestion)).toContain(suggestion);
  });

  it('a program of somebody else is a warning', async () => {
    const { warnings } = await good(file(`- {name: a, exec: [${program}]}`), { uid: 12_345 });
    expect(warnings.map((warning) => `${placeName(warning)}: ${warning.message}`)).toEqual(
      process.getuid?.() === 0
        ? []
        : [
            expect.stringMatching(
              /^l\.yaml:4:21: exec: .* belongs to uid \d+, who can change what letterlock runs/,
            ),
          ],
    );
  });
});

describe('neither secret nor path of a receiver is in', () => {
  const wrong: readonly (readonly string[])[] = [
    ['secrt: hunter2, x', 'retries: x'],
    ['retries: x  # see https://a.example', 'secrets: [hunter2]'],
    ['secret: hunter2'],
    ['secret: whsec_hunter2!'],
    ['secret: 4711hunter2'],
    ['secret: 47110815'],
    ['secret: [hunter2]'],
    ['secret: {a: hunter2}'],
    ['secret:', '  hunter2'],
    ['secret: >-', '  hunter2'],
    ['secrt: hunter2, whsec_hunter2'],
    ['"secret": hunter2', 'retries: x'],
    ['retries: x # whsec_hunter2'],
    ['pins: whsec_hunter2'],
    ['webhok: https://a.example/hunter2', 'retries: x'],
  ];

  it.each([
    '{name: a, secrt: hunter2, retries: x}',
    '{name: a, webhok: "https://a.example/hunter2", retries: x}',
  ])('any problem of a line with all of it: %s', async (line) => {
    const loaded = await load(file(`- ${line}`));
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toContain('l.yaml:4:');
    expect(shown).not.toContain('hunter2');
  });

  it('but a line without any is shown', async () => {
    const loaded = await load(receiver(`secret: ${secret}`, 'retries: x'));
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toContain('retries: x\n');
  });

  it.each(wrong.map((lines) => [lines] as const))('any problem or excerpt: %s', async (lines) => {
    const loaded = await load(receiver(...lines));
    expect(loaded.ok).toBe(false);
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toMatch(/l\.yaml:[4-8]:/);
    expect(shown).not.toMatch(/hunter2|47110815/);
  });

  it.each([
    'webhook: http://a.example/hunter2',
    'webhook: "https://a.example/hunter2#x"',
    'webhook: [https://a.example/hunter2]',
  ])('a problem of the URL itself: %s', async (line) => {
    const loaded = await load(file('- name: a', `  ${line}`));
    const shown = loaded.ok ? '' : loaded.problems.map(renderProblem).join('\n');
    expect(shown).toContain('l.yaml:5:');
    expect(shown).not.toContain('hunter2');
  });

  it('rows of what is in force, where host and file still are', async () => {
    for (const [lines, files] of [
      [[`secret: ${secret}`], {}],
      [['secretFile: hook.secret'], { 'hook.secret': secret }],
    ] as const) {
      const { origins, config } = await good(receiver(...lines), {
        files,
      });
      const shown = JSON.stringify([origins, config.hooks.map(shownHook)]);
      expect(shown).toContain('https://hooks.example.com/***');
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toContain(secret);
    }
  });
});

it('a row of config show stands for each setting of a hook', async () => {
  const { origins, folder } = await good(
    receiver('secretFile: s', `pins: ["${pin}"]`, 'caFile: system').concat(
      `  - {name: b, exec: [${program}]}\n`,
    ),
    { files: { s: secret } },
  );
  const shown = origins
    .filter(({ path }) => path[0] === 'hooks')
    .map(({ path, value, origin }) => `${path.slice(1).join('.')} ${JSON.stringify(value)} # ${origin}`);
  expect(shown).toEqual([
    '0.name "pager" # l.yaml:4:11',
    '0.webhook "https://hooks.example.com/***" # l.yaml:5:14',
    `0.secretFile "${folder}/s" # l.yaml:6:17`,
    '0.caFile ["system"] # l.yaml:8:13',
    `0.pins ["${pin}"] # l.yaml:7:11`,
    '0.retries 5 # default',
    `0.on ${JSON.stringify(usualClasses)} # default`,
    '0.timeoutSeconds 10 # default',
    '0.repeatMinutes 10 # default',
    '1.name "b" # l.yaml:9:12',
    `1.exec ["${program}"] # l.yaml:9:21`,
    `1.on ${JSON.stringify(usualClasses)} # default`,
    '1.timeoutSeconds 10 # default',
    '1.repeatMinutes 10 # default',
  ]);
});

it('what a hook is told is no setting of a letterlock that it runs', async () => {
  const env = { LETTERLOCK_EVENT_TYPE: 'refused', LETTERLOCK_EVENT_ENDPOINT: 'a.example:993' };
  expect(await problemsIn('routes:\n  - upstream: imaps://a.example\n', { env })).toEqual([]);
  expect(
    await problemsIn('routes:\n  - upstream: imaps://a.example\n', { env: { LETTERLOCK_EVENTS: 'x' } }),
  ).toEqual(['environment: unknown variable LETTERLOCK_EVENTS']);
});
