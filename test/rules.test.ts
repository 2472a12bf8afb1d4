// The house rules of scripts/rules.mjs, each with one planted fault and a twin that must stay quiet.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = join(import.meta.dirname, '../scripts/rules.mjs');
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rules-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function plant(file: string, text: string): Promise<void> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function rules(): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [script, root], (error, output) => {
      resolve({ code: error === null ? 0 : Number(error.code), output });
    });
  });
}

interface Planted {
  readonly rule: string;
  readonly file: string;
  readonly text: string;
  readonly says: string;
}

// Pieces keep this file itself free of what the rules look for in tracked files.
const registry = ['https://registry', 'example.org'].join('.');
const machinePath = ['', 'root', 'x'].join('/');
const homePath = ['', 'home', 'jane', 'x'].join('/');

const faults: readonly Planted[] = [
  {
    rule: 'a lower floor importing a higher one',
    file: 'src/net/dial.ts',
    text: `import { a } from '../proxy/session.ts';`,
    says: 'src/net/dial.ts:1: net imports proxy',
  },
  {
    rule: 'a type import that points up',
    file: 'src/trust/a.ts',
    text: `\nimport type { A } from '../tofu.ts';`,
    says: 'src/trust/a.ts:2: trust imports tofu',
  },
  {
    rule: 'a lazy import that points up',
    file: 'src/ops/log.ts',
    text: `const a = await import('../daemon.ts');`,
    says: 'ops imports daemon',
  },
  {
    rule: 'a re-export that points up',
    file: 'src/endpoint.ts',
    text: `export { a } from './net/dial.ts';`,
    says: 'endpoint imports net',
  },
  {
    rule: 'an import over several lines',
    file: 'src/net/a.ts',
    text: `import {\n  a,\n  b,\n} from '../tofu.ts';`,
    says: 'src/net/a.ts:1: net imports tofu',
  },
  {
    rule: 'the library importing the command line',
    file: 'src/daemon.ts',
    text: `import { a } from '../cmd/run.ts';`,
    says: 'daemon imports cmd',
  },
  {
    rule: 'trust knowing mail',
    file: 'src/trust/a.ts',
    text: `import { a } from '../mail/b.ts';`,
    says: 'trust and mail do not know each other',
  },
  {
    rule: 'mail knowing trust',
    file: 'src/mail/a.ts',
    text: `import { a } from '../trust/b.ts';`,
    says: 'mail and trust do not know each other',
  },
  {
    rule: 'net knowing store',
    file: 'src/net/a.ts',
    text: `import { a } from '../store/b.ts';`,
    says: 'net and store do not know each other',
  },
  {
    rule: 'store knowing net',
    file: 'src/store/a.ts',
    text: `import { a } from '../net/b.ts';`,
    says: 'store and net do not know each other',
  },
  {
    rule: 'a part without a floor',
    file: 'src/misc/a.ts',
    text: `import { a } from '../errors.ts';`,
    says: 'misc has no floor',
  },
  {
    rule: 'yargs outside cmd',
    file: 'src/daemon.ts',
    text: `import yargs from 'yargs';`,
    says: 'yargs belongs to cmd/',
  },
  {
    rule: 'a helper of yargs outside cmd',
    file: 'src/daemon.ts',
    text: `import { hideBin } from 'yargs/helpers';`,
    says: 'yargs belongs to cmd/',
  },
  {
    rule: 'a second minter',
    file: 'src/proxy/session.ts',
    text: `import { isVouched, mint } from '../trust/vouched.ts';`,
    says: 'only src/tofu.ts may mint',
  },
  {
    rule: 'the minter under another name',
    file: 'src/proxy/session.ts',
    text: `import { mint as coin } from '../trust/vouched.ts';`,
    says: 'only src/tofu.ts may mint',
  },
  {
    rule: 'the minter through a namespace',
    file: 'src/proxy/session.ts',
    text: `import * as v from '../trust/vouched.ts';`,
    says: 'only src/tofu.ts may mint',
  },
  {
    rule: 'the minter through a re-export',
    file: 'src/index.ts',
    text: `export { isVouched } from './trust/vouched.ts';`,
    says: 'only src/tofu.ts may mint',
  },
  {
    rule: 'setEncoding',
    file: 'src/net/a.ts',
    text: `\n\nsocket.setEncoding('utf8');`,
    says: 'src/net/a.ts:3: setEncoding',
  },
  {
    rule: 'markup made from text',
    file: 'src/admin/dashboard/a.tsx',
    text: `const a = <p dangerouslySetInnerHTML={{ __html: b }} />;`,
    says: 'src/admin/dashboard/a.tsx:1: the page shows text of certificates',
  },
  {
    rule: 'a module of Node in the page',
    file: 'src/admin/dashboard/a.ts',
    text: `import { join } from 'node:path';`,
    says: 'the page runs in a browser',
  },
  {
    rule: 'a Buffer in the page',
    file: 'src/admin/dashboard/a.ts',
    text: `const a = Buffer.alloc(1);`,
    says: 'the page runs in a browser',
  },
  {
    rule: 'setEncoding inside a template',
    file: 'src/net/a.ts',
    text: 'const a = `${s.setEncoding(1)}`;',
    says: 'setEncoding',
  },
  { rule: 'unshift', file: 'src/mail/a.ts', text: `socket.unshift(rest);`, says: 'unshift' },
  { rule: 'toLegacyObject', file: 'cmd/a.ts', text: `x509.toLegacyObject();`, says: 'toLegacyObject' },
  {
    rule: 'getPeerCertificate',
    file: 'test/a.test.ts',
    text: `socket.getPeerCertificate(true);`,
    says: 'getPeerCertificate',
  },
  {
    rule: 'removeAllListeners',
    file: 'src/net/a.ts',
    text: `socket.removeAllListeners();`,
    says: 'removeAllListeners',
  },
  { rule: 'a default export', file: 'src/net/a.ts', text: `export default 1;`, says: 'no default export' },
  {
    rule: 'rejectUnauthorized outside the handshake',
    file: 'src/net/a.ts',
    text: `// because\nconst o = { rejectUnauthorized: false };`,
    says: 'only src/net/handshake.ts',
  },
  {
    rule: 'rejectUnauthorized in a test without a reason',
    file: 'test/a.test.ts',
    text: `const o = { rejectUnauthorized: false };`,
    says: 'only src/net/handshake.ts',
  },
  {
    rule: 'a path of one machine',
    file: 'README.md',
    text: `see ${machinePath}`,
    says: 'README.md:1: a path of one machine',
  },
  { rule: 'a home folder', file: 'docs/a.md', text: `see ${homePath}`, says: 'a path of one machine' },
  { rule: 'a registry host', file: 'config/a.yaml', text: registry, says: 'a registry host' },
  {
    rule: 'a lock without a package of another platform',
    file: 'package-lock.json',
    text: '{"packages": {"node_modules/a": {\n"optionalDependencies": {"a-linux": "1", "a-mac": "1"}}, "node_modules/a-linux": {}}}',
    says: 'package-lock.json:2: a-mac is named but not locked',
  },
  {
    rule: 'a folder ARCHITECTURE.md invents',
    file: 'ARCHITECTURE.md',
    text: 'a\n`src/gone/here.ts`',
    says: 'ARCHITECTURE.md:2: src/gone/here.ts does not exist',
  },
  {
    rule: 'a file ARCHITECTURE.md invents',
    file: 'ARCHITECTURE.md',
    text: 'read `gone.ts` first',
    says: 'gone.ts does not exist',
  },
];

test.for(faults)('finds $rule', async ({ file, text, says }) => {
  await plant(file, text);
  const { code, output } = await rules();
  expect(output).toContain(says);
  expect(code).toBe(1);
});

const sound: readonly Planted[] = [
  {
    rule: 'an import that points down',
    file: 'src/proxy/session.ts',
    text: `import { a } from '../net/dial.ts';`,
    says: '',
  },
  { rule: 'an import within one part', file: 'src/mail/a.ts', text: `import { a } from './b.ts';`, says: '' },
  {
    rule: 'store using trust',
    file: 'src/store/a.ts',
    text: `import type { A } from '../trust/record.ts';`,
    says: '',
  },
  {
    rule: 'tofu knowing net and store',
    file: 'src/tofu.ts',
    text: `import { a } from './net/a.ts';\nimport { b } from './store/b.ts';`,
    says: '',
  },
  {
    rule: 'the one minter',
    file: 'src/tofu.ts',
    text: `import { mint } from './trust/vouched.ts';`,
    says: '',
  },
  {
    rule: 'a check of vouched',
    file: 'src/net/relay.ts',
    text: `import { isVouched, type Vouched } from '../trust/vouched.ts';`,
    says: '',
  },
  { rule: 'yargs in cmd', file: 'cmd/letterlock.ts', text: `import yargs from 'yargs';`, says: '' },
  {
    rule: 'a Buffer beside the page',
    file: 'src/admin/a.ts',
    text: `import { join } from 'node:path';\nconst a = Buffer.alloc(1);`,
    says: '',
  },
  {
    rule: 'a comment about setEncoding(',
    file: 'src/net/a.ts',
    text: `// never .setEncoding( here\n/* nor\n .unshift( */ const a = /[/"']/; // .unshift(`,
    says: '',
  },
  {
    rule: 'a string about setEncoding(',
    file: 'src/net/a.ts',
    text: `const a = 'x.setEncoding(' + ".unshift(" + \`.unshift( \${1} .unshift(\`;`,
    says: '',
  },
  {
    rule: 'rejectUnauthorized in the handshake',
    file: 'src/net/handshake.ts',
    text: `const o = { rejectUnauthorized: false };`,
    says: '',
  },
  {
    rule: 'rejectUnauthorized in a test with a reason',
    file: 'test/a.test.ts',
    text: `// the test plays an old client\nconst o = { rejectUnauthorized: false };`,
    says: '',
  },
  {
    rule: 'a lock that holds every platform',
    file: 'package-lock.json',
    text: '{"packages": {"node_modules/a": {"optionalDependencies": {"a-linux": "1"}}, "node_modules/a/node_modules/a-linux": {}}}',
    says: '',
  },
  {
    rule: 'a test importing anything',
    file: 'test/net/a.test.ts',
    text: `import { a } from '../../src/daemon.ts';`,
    says: '',
  },
];

test.for(sound)('lets $rule pass', async ({ file, text }) => {
  await plant(file, text);
  expect(await rules()).toEqual({ code: 0, output: '' });
});

test('knows the files ARCHITECTURE.md names', async () => {
  await plant('src/net/dial.ts', '');
  await plant('ARCHITECTURE.md', 'Start in `src/net/dial.ts`, `dial.ts`, `src/net/` and src/net.');
  expect(await rules()).toEqual({ code: 0, output: '' });
});
