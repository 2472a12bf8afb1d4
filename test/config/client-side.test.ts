// The client's side of a route: where it listens, whom it serves, its TLS.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListenPlace } from '../../src/proxy/route.ts';
import { selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';
import { good, load, problemsIn } from './read.ts';
import type { Given } from './read.ts';

let own: Identity;
let other: Identity;
beforeAll(async () => {
  own = await selfSigned();
  other = await selfSigned();
});

const upstream = 'routes:\n  - upstream: imaps://imap.example.org\n';
const withLine = (line: string): string => `${upstream}    ${line}\n`;
const unix = (path: string, more: Partial<Extract<ListenPlace, { kind: 'unix' }>> = {}): ListenPlace => ({
  kind: 'unix',
  path,
  mode: 0o600,
  group: null,
  ...more,
});
const tcp = (host: string, port: number): ListenPlace => ({ kind: 'tcp', host, port });

describe('a route listens at', () => {
  it.each<readonly [string, readonly ListenPlace[], string]>([
    ['"[::1]:1143"', [tcp('::1', 1143)], 'imaps-1143'],
    ['unix:/run/mail/imap.sock', [unix('/run/mail/imap.sock')], 'imaps-imap'],
    ['unix:///run/mail/imap.sock', [unix('/run/mail/imap.sock')], 'imaps-imap'],
    ['"unix:/run/my mail!.sock"', [unix('/run/my mail!.sock')], 'imaps-my-mail-'],
    [`unix:/run/${'n'.repeat(90)}`, [unix(`/run/${'n'.repeat(90)}`)], `imaps-${'n'.repeat(58)}`],
    ['fd:imap', [{ kind: 'fd', name: 'imap' }], 'imaps-imap'],
    ['fd:a/b', [{ kind: 'fd', name: 'a/b' }], 'imaps-a-b'],
    ['{unix: /run/x.sock}', [unix('/run/x.sock')], 'imaps-x'],
    [
      '{unix: /run/x.sock, mode: "0666", group: mail}',
      [unix('/run/x.sock', { mode: 0o666, group: 'mail' })],
      'imaps-x',
    ],
    ['{unix: /run/x.sock, mode: "660"}', [unix('/run/x.sock', { mode: 0o660 })], 'imaps-x'],
    [
      '[fd:imap, {unix: /run/x.sock}, localhost:2143, 127.0.0.2:0, 127.0.0.2:0]',
      [
        { kind: 'fd', name: 'imap' },
        unix('/run/x.sock'),
        tcp('localhost', 2143),
        tcp('127.0.0.2', 0),
        tcp('127.0.0.2', 0),
      ],
      'imaps-2143',
    ],
    ['[unix:/run/x.sock, unix:/run/y.sock]', [unix('/run/x.sock'), unix('/run/y.sock')], 'imaps-x'],
  ])('%s', async (written, listen, name) => {
    const { config } = await good(withLine(`listen: ${written}`));
    expect(config.routes[0]).toMatchObject({ listen, name });
  });

  it('a socket file beside the configuration, or in the working directory of the command line', async () => {
    for (const [file, given] of [
      [withLine('listen: [unix:run/x.sock]'), {}],
      [withLine('listen: {unix: run/x.sock}'), {}],
      [null, { routes: ['unix:run/x.sock=imaps://imap.example.org'] }],
    ] as const) {
      const { config, folder } = await good(file, given);
      expect(config.routes[0]?.listen).toEqual([unix(join(folder, 'run/x.sock'))]);
    }
  });

  it('a socket of the service manager also from the command line', async () => {
    const { config } = await good(null, { routes: ['fd:imap=imaps://imap.example.org'] });
    expect(config.routes[0]).toMatchObject({ name: 'imaps-imap', listen: [{ kind: 'fd', name: 'imap' }] });
  });
});

interface Row {
  readonly what: string;
  readonly file: string;
  readonly problems: readonly string[];
  readonly given?: Given;
}

const open = (place: string): string =>
  `${place} can be reached from other machines, and the client's password would cross the network in clear`;

const listenRows: readonly Row[] = [
  {
    what: 'an empty list of places',
    file: withLine('listen: []'),
    problems: ['l.yaml:3:13: routes[0].listen must be at least 1 long, not a list'],
  },
  {
    what: 'a number in a list of places',
    file: withLine('listen: [localhost:1143, 1144]'),
    problems: [
      'l.yaml:3:30: routes[0].listen[1] must be HOST:PORT, unix:PATH, fd:NAME or {unix, mode, group}, not 1144',
    ],
  },
  {
    what: 'a path without unix:',
    file: withLine('listen: /run/x.sock'),
    problems: ['l.yaml:3:13: routes[0].listen: "/run/x.sock" is not an address to listen on'],
  },
  {
    what: 'a socket file without a path',
    file: withLine('listen: "unix:"'),
    problems: ['l.yaml:3:13: routes[0].listen: "" is not the path of a socket'],
  },
  {
    what: 'a path that ends early for the system',
    file: withLine('listen: {unix: "/run/x\\0y"}'),
    problems: ['l.yaml:3:20: routes[0].listen.unix: "/run/x\0y" is not the path of a socket'],
  },
  {
    what: 'an fd without a name',
    file: withLine('listen: "fd:"'),
    problems: ['l.yaml:3:13: routes[0].listen: "fd:" names no socket'],
  },
  {
    what: 'an fd name that LISTEN_FDNAMES cannot hold',
    file: withLine('listen: "fd:a:b"'),
    problems: ['l.yaml:3:13: routes[0].listen: "fd:a:b" names no socket'],
  },
  {
    what: 'an unknown key of a socket file',
    file: withLine('listen: [localhost:1143, {unix: /run/x, mod: "0600"}]'),
    problems: ['l.yaml:3:45: unknown key "mod" in routes[0].listen[1]'],
  },
  {
    what: 'a socket mode that YAML reads as decimal',
    file: withLine('listen: {unix: /run/x, mode: 0660}'),
    problems: ['l.yaml:3:34: routes[0].listen.mode must be text, not 660'],
  },
  {
    what: 'a socket mode that shuts out the owner',
    file: withLine('listen: {unix: /run/x, mode: "0060"}'),
    problems: ['l.yaml:3:34: routes[0].listen.mode: "0060" shuts out the owner'],
  },
  {
    what: 'a socket mode with more than permissions',
    file: withLine('listen: {unix: /run/x, mode: "4755"}'),
    problems: ['l.yaml:3:34: routes[0].listen.mode: "4755" is not a file mode'],
  },
  {
    what: 'a socket path that the system cuts',
    file: withLine(`listen: unix:/run/${'x'.repeat(99)}`),
    problems: [`l.yaml:3:13: the path of the socket has 104 bytes, 103 are possible: /run/${'x'.repeat(99)}`],
  },
  {
    what: 'one of several places off loopback',
    file: withLine('listen: [localhost:1143, 0.0.0.0:2143]'),
    problems: [`l.yaml:3:30: ${open('0.0.0.0:2143')}`],
  },
  {
    what: 'client TLS that is off, off loopback',
    file: withLine('listen: 0.0.0.0:1143\n    clientTls: {mode: off}'),
    problems: [`l.yaml:3:13: ${open('0.0.0.0:1143')}`],
  },
  ...(
    [
      ['localhost:1143', '127.0.0.1:1143'],
      ['0.0.0.0:1143', '127.0.0.9:1143'],
      ['unix:/run/x', 'unix:/run/../run/x'],
      ['fd:imap', 'fd:imap'],
    ] as const
  ).map(([first, second]): Row => {
    const shown = second.replace('/run/../run', '/run');
    return {
      what: `${first} and ${second} in one route`,
      file: withLine(`unsafeListen: true\n    listen:\n      - ${first}\n      - ${second}`),
      problems: [`l.yaml:6:9: ${shown} is taken by ${first} of the same route`],
    };
  }),
  ...(
    [
      ['[localhost:1, 127.0.0.1:2]', '[localhost:3, localhost:2]', 'localhost:2', '3:27', '5:27'],
      ['[localhost:1, unix:/run/x]', 'unix:/run/./x', 'unix:/run/x', '3:27', '5:13'],
      ['{unix: /run/x}', '{unix: /run/x, mode: "0660"}', 'unix:/run/x', '3:13', '5:13'],
      ['fd:imap', '[localhost:3, fd:imap]', 'fd:imap', '3:13', '5:27'],
    ] as const
  ).map(([first, second, place, there, here]): Row => ({
    what: `${first} and ${second} in two routes`,
    file: `${withLine(`listen: ${first}`)}  - upstream: imap://b.example\n    listen: ${second}\n`,
    problems: [
      `l.yaml:${here}: ${place} is taken by the route to imaps://imap.example.org (l.yaml:${there})`,
    ],
  })),
  {
    what: 'metrics on a port of a route',
    file: `${withLine('listen: [localhost:1143, localhost:9000]')}metrics: {listen: "127.0.0.1:9000"}\n`,
    problems: ['l.yaml:3:30: metrics and the route imaps-1143 both listen on 127.0.0.1:9000'],
  },
  {
    what: 'the admin socket as the socket of a route',
    file: `${withLine('listen: unix:/run/a.sock')}admin: {socket: {path: /run/a.sock}}\n`,
    problems: ['l.yaml:3:13: the admin socket and the route imaps-a both listen on unix:/run/a.sock'],
  },
  {
    what: 'two socket files of one name',
    file: `${withLine('listen: unix:/run/a/mail.sock')}  - upstream: imaps://b.example\n    listen: unix:/run/b/mail.sock\n`,
    problems: ['l.yaml:4:5: two routes are named imaps-mail (l.yaml:2:5)'],
  },
];

const userRows: readonly Row[] = [
  {
    what: 'no user at all',
    file: withLine('allowUsers: []'),
    problems: ['l.yaml:3:17: routes[0].allowUsers must be at least 1 long, not a list'],
  },
  {
    what: 'a user that is neither name nor uid',
    file: withLine('allowUsers: [true, -1]'),
    problems: [
      'l.yaml:3:18: routes[0].allowUsers[0] must be a user name or a uid, not true',
      'l.yaml:3:24: routes[0].allowUsers[1] must be at least 0, not -1',
    ],
  },
  {
    what: 'a user nobody knows',
    file: withLine('allowUsers: [root, "no such user"]'),
    problems: ['l.yaml:3:24: there is no user "no such user" in /etc/passwd'],
  },
  {
    what: 'the user that stands for all whom the kernel has no number for',
    file: withLine('allowUsers: [0, nobody, 65534]'),
    problems: [
      'l.yaml:3:21: nobody is the user 65534, who is never served: the kernel shows every user it has no number for as that one',
      'l.yaml:3:29: 65534 is the user 65534, who is never served: the kernel shows every user it has no number for as that one',
    ],
  },
  {
    what: 'allowUsers on a socket file',
    file: withLine('allowUsers: [0]\n    listen: [localhost:1143, unix:/run/x]'),
    problems: ['l.yaml:3:17: allowUsers does not work on unix:/run/x'],
  },
  {
    what: 'allowUsers off loopback',
    file: withLine('allowUsers: [0]\n    listen: 0.0.0.0:1143\n    clientTls: implicit'),
    problems: [
      'l.yaml:3:17: allowUsers does not work on 0.0.0.0:1143: users of other machines have no uid here',
    ],
  },
];

const tlsRows: readonly Row[] = [
  {
    what: 'client TLS that is misspelt',
    file: withLine('clientTls: startls'),
    problems: ['l.yaml:3:16: routes[0].clientTls must be one of off, starttls, implicit, not "startls"'],
  },
  {
    what: 'client TLS without a mode',
    file: withLine('clientTls: {minVersion: TLSv1}'),
    problems: ['l.yaml:3:16: routes[0].clientTls.mode is missing'],
  },
  {
    what: 'a misspelt key of client TLS',
    file: withLine('clientTls: {mode: implicit, minVerson: TLSv1}'),
    problems: ['l.yaml:3:33: unknown key "minVerson" in routes[0].clientTls'],
  },
  {
    what: 'a TLS version that does not exist',
    file: withLine('clientTls: {mode: implicit, minVersion: SSLv3}'),
    problems: [
      'l.yaml:3:45: routes[0].clientTls.minVersion must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3, not "SSLv3"',
    ],
  },
  ...['minVersion: TLSv1.3', 'certificate: own.pem, key: own.key'].map((more): Row => ({
    what: `${more} without client TLS`,
    file: withLine(`clientTls: {mode: off, ${more}}`),
    problems: ['l.yaml:3:16: clientTls is off, so that minVersion, certificate and key mean nothing'],
  })),
  {
    what: 'a certificate without key',
    file: withLine('clientTls: {mode: implicit, certificate: own.pem}'),
    problems: ['l.yaml:3:46: clientTls.certificate is given without key'],
  },
  {
    what: 'a key without certificate',
    file: withLine('clientTls: {mode: implicit, key: own.key}'),
    problems: ['l.yaml:3:38: clientTls.key is given without certificate'],
  },
  {
    what: 'STARTTLS of no protocol',
    file: 'routes:\n  - upstream: tls://a.example:636\n    listen: localhost:1636\n    clientTls: starttls\n',
    problems: ['l.yaml:4:16: tls:// has no STARTTLS'],
  },
];

describe('a configuration is refused for', () => {
  it.each([...listenRows, ...userRows, ...tlsRows])('$what', async ({ file, problems, given }) => {
    const files = { 'own.pem': own.cert, 'own.key': own.key };
    expect(await problemsIn(file, { files, ...given })).toEqual(problems);
  });

  it('nothing when places, users and TLS are right', async () => {
    for (const lines of [
      'listen: [localhost:1143, 127.0.0.2:1143, unix:/run/x, unix:/run/y, fd:a, fd:b]',
      `listen: unix:/run/${'x'.repeat(98)}`,
      'listen: 0.0.0.0:1143\n    clientTls: starttls',
      'listen: 0.0.0.0:1143\n    clientTls: {mode: implicit, certificate: own.pem, key: own.key}',
      'listen: 0.0.0.0:1143\n    unsafeListen: true',
      'listen: [localhost:1143, fd:imap]\n    allowUsers: [root, 0, 65533]',
      'clientTls: {mode: off}',
    ])
      expect(
        await problemsIn(withLine(lines), { files: { 'own.pem': own.cert, 'own.key': own.key } }),
      ).toEqual([]);
    expect(
      await problemsIn(
        'routes:\n  - upstream: tls://a.example:636\n    listen: localhost:1636\n    clientTls: implicit\n',
      ),
    ).toEqual([]);
  });
});

describe('a suggestion', () => {
  it.each([
    ['listen: 1143', 'write localhost:1143'],
    ['listen: ./x.sock', 'write unix:./x.sock'],
    ['clientTls: {mode: implicit, minVerson: TLSv1}', 'did you mean minVersion?'],
    ['listen: [{unix: /run/x, mod: "0600"}]', 'did you mean mode?'],
    ['allowUsers: [rooot]', 'did you mean root?'],
    ['allowUsers: ["1000"]', 'write the uid, without quotes: id -u tells it'],
    [
      'listen: 0.0.0.0:1143',
      'listen on localhost:1143, set clientTls, or add unsafeListen: true to this route',
    ],
    [
      'listen: unix:/run/x\n    allowUsers: [0]',
      'say who may connect with the mode and group of the socket: listen: {unix: PATH, mode: "0660", group: GROUP}',
    ],
  ])('for %s', async (line, suggestion) => {
    const loaded = await load(withLine(line));
    expect(loaded.ok ? [] : loaded.problems.map((problem) => problem.suggestion)).toEqual([suggestion]);
  });

  it('for a taken port among several is a port that is free', async () => {
    const loaded = await load(
      `${withLine('listen: [localhost:1, localhost:2]')}  - upstream: imap://b.example\n    listen: 127.0.0.1:1\n`,
    );
    expect(loaded.ok ? [] : loaded.problems.map(({ suggestion }) => suggestion)).toEqual([
      'listen: 127.0.0.1:3 (on the command line: 3=imap://b.example)',
    ]);
  });
});

it.each([
  ['{unix: /run/x, group: mail}', ['the group mail cannot connect to a socket of mode 0600']],
  ['{unix: /run/x, group: mail, mode: "0640"}', ['the group mail cannot connect to a socket of mode 0640']],
  ['{unix: /run/x, group: mail, mode: "0660"}', []],
  ['{unix: /run/x, mode: "0600"}', []],
])('the socket %s gives %j as warnings', async (written, messages) => {
  const { warnings } = await good(withLine(`listen: ${written}`));
  expect(warnings.map(({ message }) => message)).toEqual(messages);
});

it('users are resolved when the configuration is read, each once', async () => {
  const { config } = await good(withLine('allowUsers: [1000, root, 0, 1000]'));
  expect(config.routes[0]?.allowUsers).toEqual([1000, 0]);
});

describe('client TLS', () => {
  it.each([
    ['off', { mode: 'off', minVersion: 'TLSv1.2', files: null }],
    ['starttls', { mode: 'starttls', minVersion: 'TLSv1.2', files: null }],
    ['{mode: implicit, minVersion: TLSv1.3}', { mode: 'implicit', minVersion: 'TLSv1.3', files: null }],
  ])('%s', async (written, clientTls) => {
    const { config, warnings } = await good(withLine(`clientTls: ${written}`));
    expect(config.routes[0]?.clientTls).toEqual(clientTls);
    expect(warnings).toEqual([]);
  });

  it.each(['TLSv1', 'TLSv1.1'])('from %s is weak, and a warning', async (version) => {
    const { warnings } = await good(withLine(`clientTls: {mode: implicit, minVersion: ${version}}`));
    expect(warnings.map(({ line, column, message }) => [line, column, message])).toEqual([
      [
        3,
        45,
        `${version} is weak: whoever can read the network between client and letterlock may read passwords`,
      ],
    ]);
  });

  it('from TLSv1.2 is not', async () => {
    const { warnings } = await good(withLine('clientTls: {mode: implicit, minVersion: TLSv1.2}'));
    expect(warnings).toEqual([]);
  });
});

/** Each key of a mapping that names two files; the rows hold for a server's side too. */
const pairs = [
  ['clientTls', 'clientTls: {mode: implicit, certificate: c.pem, key: k.pem}', '3:46', '3:58'],
  ['clientCertificate', 'clientCertificate: {certificate: c.pem, key: k.pem}', '3:38', '3:50'],
] as const;

describe.each(pairs)('the files of %s', (key, line, atCertificate, atKey) => {
  const problemsWith = (files: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    problemsIn(withLine(line), { files });

  it('are taken when they belong together, beside the configuration', async () => {
    const { config, folder } = await good(withLine(line), { files: { 'c.pem': own.cert, 'k.pem': own.key } });
    const files = { certificate: join(folder, 'c.pem'), key: join(folder, 'k.pem') };
    const [route] = config.routes;
    expect(key === 'clientTls' ? route?.clientTls.files : route?.clientCertificate).toEqual(files);
    expect(await problemsWith({ 'c.pem': own.cert + other.cert, 'k.pem': own.key })).toEqual([]);
    expect(await problemsWith({ 'c.pem': own.cert, 'k.pem': own.cert + own.key })).toEqual([]);
  });

  it('must be there', async () => {
    expect(await problemsWith({})).toEqual([
      `l.yaml:${atCertificate}: routes[0].${key}.certificate: cannot read ./c.pem (ENOENT)`,
      `l.yaml:${atKey}: routes[0].${key}.key: cannot read ./k.pem (ENOENT)`,
    ]);
  });

  it('must hold what they should', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(await problemsWith({ 'c.pem': own.key, 'k.pem': own.cert })).toEqual([
      `l.yaml:${atCertificate}: routes[0].${key}.certificate: ./c.pem holds no certificate`,
      `l.yaml:${atKey}: routes[0].${key}.key: ./k.pem holds no key that can be read`,
    ]);
    for (const [cert, number] of [
      [broken, 1],
      [own.cert + broken, 2],
    ] as const)
      expect(await problemsWith({ 'c.pem': cert, 'k.pem': own.key })).toEqual([
        `l.yaml:${atCertificate}: routes[0].${key}.certificate: certificate ${number} in ./c.pem cannot be read`,
      ]);
  });

  it('must belong together', async () => {
    for (const cert of [other.cert, other.cert + own.cert])
      expect(await problemsWith({ 'c.pem': cert, 'k.pem': own.key })).toEqual([
        `l.yaml:${atKey}: routes[0].${key}.key: ./k.pem is not the key of the certificate`,
      ]);
  });

  it('cannot have an encrypted key', async () => {
    const encrypted = execFileSync('openssl', ['pkey', '-aes256', '-passout', 'pass:x'], {
      input: own.key,
      encoding: 'utf8',
    });
    expect(await problemsWith({ 'c.pem': own.cert, 'k.pem': encrypted })).toEqual([
      `l.yaml:${atKey}: routes[0].${key}.key: the key in ./k.pem is encrypted, and nobody is there to be asked`,
    ]);
  });
});
