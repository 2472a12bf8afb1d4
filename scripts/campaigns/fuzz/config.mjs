// A whole configuration (src/config/load.ts), as a file on a disk: a configuration, or problems each with its place, fit for
// a terminal. Mutants of files that are right, and files that fast-check puts together of settings, right and wrong.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demand, demandPlain } from './engine/broken.mjs';

const pin = `sha256//${Buffer.alloc(32, 7).toString('base64')}`;
const secret = 'hunter2secret';
const good = [
  'routes:\n  - upstream: imaps://imap.example.org\n',
  `state: /tmp/x\ntrust: auto\nfirstUse: hold\nroutes:\n  - listen: 127.0.0.1:1143\n    upstream: imap://imap.example.org\n    clientTls: starttls\n    trust: tofu\n    pins: ["${pin}"]\n  - {upstream: "submission://mail.example.net:587", name: out, handOver: true, warm: 2, watch: 6h}\nmetrics: {listen: "127.0.0.1:9465"}\nadmin: {socket: default, listen: null}\nlimits: {connections: 1000, dialSeconds: 15, lineBytes: 8192}\nlog: {level: info, format: json}\n`,
  `routes:\n  - upstream: imaps://imap.example.org\n    proxy: socks5://me:${secret}@127.0.0.1:1080\n    dane: prefer\n    minVersion: TLSv1.3\n    corroborate: {port: 465}\nresolver: 127.0.0.1:53\n`,
  `routes:\n  - upstream: [imaps://a.example.org, imaps://b.example.org]\n    listen: [localhost:1143, "unix:/run/x.sock"]\n    allowUsers: [root, 1000]\n    caFile: [system]\nhooks:\n  - {name: mail, exec: [/bin/true], on: [refused]}\n  - {webhook: "https://hooks.example.org/x", secret: "whsec_${Buffer.alloc(32, 3).toString('base64')}"}\n`,
  'routes:\n  - {upstream: "tls://ldap.example.org:636", listen: 1636, trust: ca+tofu, continuity: anchor}\n  - {upstream: "lmtp://x.example:24"}\n  - {upstream: "pop3s://p.example", refusal: login, limits: {idleMinutes: 5}}\nlocalCa: {names: [box.lan]}\nshutdownSeconds: 5\n',
];

/** One setting as text, right or wrong. */
const settings = (fc) => {
  const word = fc.constantFrom(
    'auto',
    'ca',
    'tofu',
    'pinned',
    'dane',
    'off',
    'starttls',
    'implicit',
    'hold',
    'null',
    'true',
    '1',
    '0',
    '-1',
    '1e9',
    '6h',
    '""',
    '[]',
    '{}',
    '[[]]',
    '{a: {b: c}}',
    `"${pin}"`,
    `["${pin}", x]`,
    'imaps://x.example',
    '"imaps://ü.example:99999"',
    'socks5://h:1',
    `socks5://u:${secret}@h`,
    '127.0.0.1:1',
    '"[::1]:0"',
    'unix:/x',
    'fd:imap',
    '.nan',
    '"\\u202e"',
    '/dev/null',
    '*x',
    '2026-01-01',
  );
  const key = fc.constantFrom(
    'upstream',
    'listen',
    'trust',
    'firstUse',
    'pins',
    'clientTls',
    'caFile',
    'crlFile',
    'proxy',
    'address',
    'serverName',
    'minVersion',
    'limits',
    'warm',
    'watch',
    'handOver',
    'continuity',
    'corroborate',
    'dane',
    'refusal',
    'refusalCode',
    'allowUsers',
    'unsafeListen',
    'legacyServer',
    'name',
    'clientCertificate',
    '__proto__',
    'constructor',
    'x',
  );
  const top = fc.constantFrom(
    'state',
    'trust',
    'firstUse',
    'metrics',
    'admin',
    'limits',
    'hooks',
    'log',
    'resolver',
    'localCa',
    'shutdownSeconds',
    'caFile',
    'pins',
    'watch',
    '__proto__',
    'y',
  );
  const pair = (of) => fc.tuple(of, word);
  return fc.record({
    route: fc.array(pair(key), { maxLength: 6 }),
    top: fc.array(pair(top), { maxLength: 4 }),
    twice: fc.boolean(),
  });
};

const textOf = ({ route, top, twice }) => {
  const one = `  - upstream: imaps://imap.example.org\n${route.map(([key, value]) => `    ${key}: ${value}\n`).join('')}`;
  return `${top.map(([key, value]) => `${key}: ${value}\n`).join('')}routes:\n${one}${twice ? one : ''}`;
};

const isPairs = (list) =>
  Array.isArray(list) &&
  list.every((pair) => Array.isArray(pair) && pair.every((text) => typeof text === 'string'));

export const target = {
  name: 'config',
  files: [
    'load',
    'document',
    'issues',
    'problem',
    'build',
    'drafts',
    'layers',
    'neighbours',
    'local-rules',
    'server-rules',
    'route-rows',
    'hooks',
    'upstream',
    'proxy-url',
    'webhook-url',
    'listen-place',
    'resolver-place',
    'dane-rules',
    'continuity-rules',
    'vantages',
    'duration',
    'warnings',
    'nearest',
    'page-listen',
    'schema-keys',
  ].map((file) => `src/config/${file}`),
  dictionary: [
    '\n',
    '  ',
    '- ',
    ': ',
    '    ',
    'routes:\n',
    'upstream: ',
    'imaps://',
    'pop3s://',
    'sieve://',
    'tls://',
    ':993',
    'listen: ',
    'unix:',
    'fd:x',
    'trust: ',
    'dane: prefer',
    'proxy: ',
    `socks5://u:${secret}@h:1`,
    'hooks:\n  - ',
    'exec: [/bin/true]',
    'webhook: ',
    'limits: {',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '__proto__: ',
    'null',
    '"',
    "'",
    '6h',
    '9'.repeat(30),
    '1e999',
    '\u202e',
  ],
  longest: 6000,
  structured: 0.5,
  mostMs: (length) => 400 + length / 4,
  prepare: async (from, folder) => {
    const { loadConfig } = await from('src/config/load');
    const { placeName, renderProblem } = await from('src/config/problem');
    await Promise.all(target.files.map(from));
    const cwd = join(folder, 'cwd');
    mkdirSync(cwd);
    const run = async (bytes) => {
      const given = structuredOf(bytes);
      const text = given === null ? bytes : Buffer.from(textOf(given));
      writeFileSync(join(cwd, 'l.yaml'), text);
      const loaded = await loadConfig({
        file: 'l.yaml',
        routes: [],
        flags: {},
        home: { env: { HOME: '/nowhere' }, uid: 1000 },
        cwd,
        needsRoutes: true,
      });
      demand(loaded.ok || loaded.problems.length > 0, 'a configuration, or problems');
      demand({}.polluted === undefined, 'no prototype is changed');
      const told = [...(loaded.ok ? [] : loaded.problems), ...loaded.warnings];
      for (const problem of told) {
        demand(
          /^(?:l\.yaml(?::\d+:\d+)?|environment.*|command line.*)$/.test(placeName(problem)),
          'a problem has a place',
          placeName(problem),
        );
        demandPlain(renderProblem(problem), 'a problem on a terminal', '\n');
        if (given !== null)
          demand(!renderProblem(problem).includes(secret), 'no password is shown', renderProblem(problem));
      }
      if (loaded.ok) {
        demand(loaded.config.routes.length > 0, 'a configuration has a route');
        demand(
          loaded.config.routes.every(({ name }) => name !== ''),
          'a route has a name',
        );
        for (const row of loaded.origins) demandPlain(JSON.stringify(row), 'an origin');
      }
    };
    return { seeds: good, run, values: settings };
  },
};

function structuredOf(bytes) {
  if (bytes[0] !== 0x7b) return null;
  try {
    const { route, top, twice } = JSON.parse(bytes.toString('utf8'));
    return isPairs(route) && isPairs(top) ? { route, top, twice } : null;
  } catch {
    return null;
  }
}
