// What the built command loads, as Node itself tells: what a start needs before clients can connect, and no more.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtBin } from '../lab/build.ts';
import { temporaryFolder, type Folder } from '../lab/folder.ts';
import { cleanEnvironment, run } from '../lab/run.ts';

/**
 * Ends the program with a list of what it has loaded, at the first place it listens at or when it ends by itself:
 * modules of Node, and the packages and sources that the files read name in the comments before each module.
 */
const watcher = `
import { existsSync, readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
const seen = [];
// Since Node 22.15; before, hooks run in a thread of their own.
if (module.registerHooks === undefined) module.register('./hooks.mjs', import.meta.url, { data: process.cwd() });
else
  module.registerHooks({
    load(url, context, next) {
      seen.push(url);
      return next(url, context);
    },
  });
const net = createRequire(import.meta.url)('node:net');
const tell = () => {
  const noted = existsSync('loaded') ? readFileSync('loaded', 'utf8').split('\\n') : [];
  const files = [...seen, ...noted].filter((url) => url.startsWith('file:') && !/\\/(?:watcher|hooks)\\.mjs$/.test(url));
  const texts = files.map((url) => readFileSync(new URL(url), 'utf8'));
  const modules = texts.flatMap((text) => [...text.matchAll(/^\\/\\/ (.*\\.(?:js|cjs|mjs|ts))$/gm)].map(([, path]) => path));
  const own = process.moduleLoadList.filter((name) => name.startsWith('NativeModule '));
  process.stdout.write('LOADED ' + JSON.stringify({ files, modules, own: own.map((name) => name.slice(13)) }) + '\\n');
};
const { listen } = net.Server.prototype;
net.Server.prototype.listen = function (...args) {
  tell();
  process.exit(0);
  return listen.apply(this, args);
};
process.on('exit', () => tell());
`;

const hooks = `
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
let list = '';
export function initialize(folder) {
  list = join(folder, 'loaded');
}
export function load(url, context, next) {
  appendFileSync(list, url + '\\n');
  return next(url, context);
}
`;

interface Loaded {
  readonly files: readonly string[];
  /** Paths of bundled modules, as the bundler notes them. */
  readonly modules: readonly string[];
  /** Modules of Node. */
  readonly own: readonly string[];
}

describe('the built command', () => {
  let folder: Folder;
  let bin: string;
  beforeAll(async () => {
    [folder, bin] = [await temporaryFolder(), await builtBin()];
    await mkdir(join(folder.path, 'state'), { mode: 0o700 });
    await writeFile(join(folder.path, 'watcher.mjs'), watcher);
    await writeFile(join(folder.path, 'hooks.mjs'), hooks);
    const routes = 'routes:\n  - listen: 127.0.0.1:0\n    upstream: imaps://imap.example.org\n';
    await writeFile(join(folder.path, 'good.yaml'), `state: state\nmetrics: null\n${routes}`);
    await writeFile(join(folder.path, 'metrics.yaml'), `state: state\n${routes}`);
  });
  afterAll(() => folder.remove());

  async function loadedBy(...words: readonly string[]): Promise<Loaded> {
    await rm(join(folder.path, 'loaded'), { force: true });
    const { shown } = await run([process.execPath, '--import', './watcher.mjs', bin, ...words], {
      cwd: folder.path,
      env: cleanEnvironment(folder.path),
    });
    const [, list] = /^LOADED (.*)$/m.exec(shown) ?? [];
    if (list === undefined) throw new Error(shown);
    const loaded: Loaded = JSON.parse(list);
    return loaded;
  }

  const heavy = [
    'yargs',
    'pino',
    'prom-client',
    'level',
    'classic-level',
    'abstract-level',
    'reflect-metadata',
  ];
  const heavyIn = ({ modules, files }: Loaded): readonly string[] =>
    [
      ...heavy,
      '@peculiar/x509',
      '@peculiar/asn1-schema',
      'asn1js',
      'zod/v4/classic',
      'zod/v4/locales',
    ].filter((name) => [...modules, ...files].some((path) => path.includes(`node_modules/${name}/`)));

  it.each(['good.yaml', 'metrics.yaml'])('listens before anything heavy is loaded (%s)', async (config) => {
    const loaded = await loadedBy('run', '-c', config);
    expect(heavyIn(loaded)).toEqual([]);
    const sources = loaded.modules.filter((path) =>
      /^src\/(?:admin\/(?!socket-path)|ops\/(?:log|metric)|tofu|store\/level|sharing|local-ca|daemon\/(?!environment))/.test(
        path,
      ),
    );
    expect(sources).toEqual([]);
    const nodes = ['tls', 'https', 'http', 'crypto', 'child_process', 'dns', 'internal/deps/undici/undici'];
    expect(nodes.filter((name) => loaded.own.includes(name))).toEqual([]);
    // What it does need is seen.
    expect(loaded.modules).toContain('src/config/load.ts');
    expect(loaded.modules).toContain('src/proxy/early-doors.ts');
    expect(loaded.own).toContain('net');
  });

  it('reads few files before it listens', async () => {
    const { files } = await loadedBy('run', '-c', 'good.yaml');
    expect(files.length).toBeLessThan(10);
    expect(files.every((url) => dirname(new URL(url).pathname) === dirname(bin))).toBe(true);
  });

  it('says its version without reading a configuration', async () => {
    const loaded = await loadedBy('--version');
    expect(heavyIn(loaded)).toEqual([]);
    expect(loaded.modules).not.toContain('src/config/load.ts');
    expect(loaded.modules.some((path) => path.includes('node_modules/'))).toBe(false);
  });

  it('asks a daemon how it is without yargs, certificates or the store', async () => {
    const loaded = await loadedBy('status', '--socket', join(folder.path, 'no.sock'));
    expect(heavyIn(loaded)).toEqual([]);
  });

  it('loads yargs for help, and Certificates where some are read', async () => {
    const help = await loadedBy('--help');
    expect(heavyIn(help)).toEqual(['yargs']);
    const cert = await loadedBy('cert', 'good.yaml');
    expect(heavyIn(cert)).toContain('asn1js');
  });
});
