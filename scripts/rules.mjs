// House rules that no linter knows: who may import whom, calls that are banned because they once crashed or
// weakened TLS code, and what must not be in a tracked file. Prints `file:line: problem`; exits 1 on any.
// Usage: node scripts/rules.mjs [ROOT]

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blank, imports, lineAt } from './source-text.mjs';

const skippedFolders = new Set(['.git', '.cache', 'node_modules', 'dist', 'coverage']);

// Lowest first; an import may point to the same floor or a lower one.
const floors = [
  ['punycode', 'endpoint', 'codes', 'errors', 'pace'],
  ['trust', 'mail'],
  ['formats'],
  ['net', 'store'],
  ['tofu'],
  ['proxy'],
  ['ops', 'admin', 'config', 'local-ca', 'sharing'],
  ['library'],
  ['index', 'certificate', 'level', 'register', 'register-evaluated'],
  ['daemon', 'doctor'],
  ['demo'],
  ['cmd'],
];
// Parts that must not know each other although the floors would allow it.
const strangers = [
  ['trust', 'mail'],
  ['net', 'store'],
  ['store', 'mail'],
  ['formats', 'mail'],
  ['formats', 'net'],
  ['formats', 'store'],
];

const parts = new Map(floors.flatMap((names, height) => names.map((name) => [name, height])));

/** Calls and words banned in code; `within` says where, `but` where not. */
const banned = [
  {
    pattern: /\.setEncoding\s*\(/g,
    within: /^(src|cmd|test)\//,
    why: 'setEncoding before a TLS upgrade aborts the process: use Buffers',
  },
  {
    pattern: /\.unshift\s*\(/g,
    within: /^(src|cmd)\//,
    // What it puts back came over TLS from a server that was vouched for.
    but: /^src\/library\/connect\.ts$/,
    why: 'unshift would feed bytes from before TLS back in: refuse them',
  },
  {
    pattern: /\btoLegacyObject\b/g,
    within: /^(src|cmd|test)\//,
    why: 'toLegacyObject crashes Node 24 on a hostile certificate',
  },
  {
    pattern: /\bgetPeerCertificate\s*\(/g,
    within: /^(src|cmd|test)\//,
    why: 'getPeerCertificate is reordered and emptied by getPeerX509Certificate',
  },
  {
    pattern: /\bremoveAllListeners\b/g,
    within: /^(src|cmd|test)\//,
    why: 'removeAllListeners takes listeners others put there',
  },
  {
    pattern: /\b(?:innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML)\b/g,
    within: /^src\/admin\/dashboard\//,
    why: 'the page shows text of certificates: nodes are made, never parsed from text',
  },
  {
    pattern: /\b(?:Buffer|process|require)\b/g,
    within: /^src\/admin\/dashboard\//,
    why: 'the page runs in a browser, which has nothing of Node',
  },
  { pattern: /\bexport\s+default\b/g, within: /^(src|cmd|test|scripts)\//, why: 'no default export' },
  {
    pattern: /\brejectUnauthorized\b/g,
    within: /^(src|cmd|test)\//,
    but: /^src\/net\/handshake\.ts$/,
    reasonAllowedIn: /^(test|src\/demo)\//,
    why: 'only src/net/handshake.ts decides this (tests and demo: with a comment that gives the reason)',
  },
];

// Written in pieces so that this file does not contain what it looks for.
const machineFolders = ['work', 'root', 'Users'].join('|');
const hosts = ['registry', 'deb', 'security'].join('|');
const leaks = [
  { pattern: new RegExp(`/(?:${machineFolders})/[\\w.]`, 'g'), why: 'a path of one machine' },
  { pattern: new RegExp(['/ho', 'me/(?!you\\b)[a-z]\\w*/'].join(''), 'g'), why: 'a path of one machine' },
  { pattern: new RegExp(['bash', 'jobs'].join('_'), 'g'), why: 'a path of one machine' },
  { pattern: new RegExp(`https?://(?:${hosts})\\.`, 'g'), why: 'a registry host' },
  { pattern: new RegExp(['"resol', 'ved": "http'].join(''), 'g'), why: 'a download address' },
];

/** Every problem under `root`, in the order of files: `{ file, line, message }`. */
function problemsUnder(root) {
  const files = trackedFiles(root);
  return files.flatMap((file) => {
    const text = readText(join(root, file));
    if (text === null) return [];
    const found = [...textProblems(file, text, leaks)];
    if (/^(src|cmd|test|scripts)\/.*\.(tsx?|mjs)$/.test(file)) found.push(...sourceProblems(file, text));
    if (file === 'package-lock.json') found.push(...lockProblems(file, text));
    if (file === 'ARCHITECTURE.md') found.push(...missingNames(root, files, text));
    return found;
  });
}

function sourceProblems(file, text) {
  const pointing = /^(src|cmd)\//.test(file)
    ? imports(text).flatMap((found) => importProblems(file, found))
    : [];
  return [...pointing, ...bannedWords(file, text)];
}

function importProblems(file, { specifier, line }) {
  const report = (message) => [{ file, line, message }];
  if (/^yargs(\/|$)/.test(specifier) && !file.startsWith('cmd/')) return report('yargs belongs to cmd/');
  if (specifier.startsWith('node:') && file.startsWith('src/admin/dashboard/'))
    return report('the page runs in a browser, which has nothing of Node');
  if (!specifier.startsWith('.')) return [];
  const target = posix.normalize(posix.join(posix.dirname(file), specifier));
  const from = partOf(file);
  const to = partOf(target);
  if (from === null) return [];
  if (to === null) return report(`${specifier} lies outside src/ and cmd/`);
  if (!parts.has(from)) return report(`${from} has no floor: add it to scripts/rules.mjs`);
  if (!parts.has(to)) return report(`${to} has no floor: add it to scripts/rules.mjs`);
  if (parts.get(to) > parts.get(from)) return report(`${from} imports ${to}, which stands above it`);
  if (strangers.some((pair) => from !== to && pair.includes(from) && pair.includes(to))) {
    return report(`${from} and ${to} do not know each other`);
  }
  return [];
}

/** `src/net/dial.ts` is part `net`, `src/tofu.ts` is `tofu`, `cmd/…` is `cmd`; null for all else. */
function partOf(file) {
  if (file.startsWith('cmd/')) return 'cmd';
  const found = /^src\/([\w-]+)/.exec(file);
  return found === null ? null : found[1];
}

const minting =
  /\bimport\b[^;]*\bmint\b[^;]*\bfrom\s*['"][^'"]*vouched\.ts['"]|\bexport\b[^;]*\bfrom\s*['"][^'"]*vouched\.ts['"]|\*\s*as\b[^;]*vouched\.ts['"]|import\s*\([^)]*vouched\.ts/g;

function bannedWords(file, text) {
  const code = blank(text, { keepStrings: false });
  const withStrings = blank(text, { keepStrings: true });
  const found = banned
    .filter((rule) => rule.within.test(file) && !rule.but?.test(file))
    .flatMap((rule) =>
      matches(file, code, rule).filter((problem) => !hasReason(rule, problem, { text, code: withStrings })),
    );
  if (!/^(src|cmd)\//.test(file) || file === 'src/tofu.ts') return found;
  return [
    ...found,
    ...matches(file, withStrings, { pattern: minting, why: 'only src/tofu.ts may mint Vouched' }),
  ];
}

/** A comment on the line itself or on the line before counts as a reason where the rule accepts one. */
function hasReason(rule, problem, { text, code }) {
  if (!rule.reasonAllowedIn?.test(problem.file)) return false;
  const lines = text.split('\n');
  const codeLines = code.split('\n');
  const commented = (line) => (lines[line] ?? '').trim() !== (codeLines[line] ?? '').trim();
  return commented(problem.line - 1) || commented(problem.line - 2);
}

const textProblems = (file, text, rules) => rules.flatMap((rule) => matches(file, text, rule));

function matches(file, text, { pattern, why }) {
  return [...text.matchAll(pattern)].map((found) => ({
    file,
    line: lineAt(text, found.index),
    message: why,
  }));
}

const named =
  /(?<![\w./:-])((?:src|cmd|test|scripts|docs|config|\.ci)\/[\w./-]*[\w/]|[\w-]+\.(?:ts|mjs))(?![\w-])/g;

function missingNames(root, files, text) {
  return [...text.matchAll(named)]
    .filter(([, name]) => !existsSync(join(root, name)) && !files.some((file) => file.endsWith(`/${name}`)))
    .map((found) => ({
      file: 'ARCHITECTURE.md',
      line: lineAt(text, found.index),
      message: `${found[1]} does not exist`,
    }));
}

/** A lock made while a registry lacked some platform's package makes `npm ci` fail everywhere else. */
function lockProblems(file, text) {
  const packages = JSON.parse(text).packages ?? {};
  const held = new Set(Object.keys(packages).map((path) => path.split('node_modules/').at(-1)));
  const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  return [...new Set(wanted)]
    .filter((name) => !held.has(name))
    .map((name) => ({
      file,
      line: lineAt(text, text.indexOf(`"${name}"`)),
      message: `${name} is named but not locked`,
    }));
}

function readText(path) {
  if (!existsSync(path) || !statSync(path).isFile()) return null;
  const bytes = readFileSync(path);
  return bytes.subarray(0, 8000).includes(0) ? null : bytes.toString('utf8');
}

function trackedFiles(root) {
  try {
    const list = execFileSync('git', ['-C', root, 'ls-files', '-z', '-co', '--exclude-standard'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [...new Set(list.split('\0'))].filter((file) => file !== '');
  } catch {
    return walk(root, root);
  }
}

function walk(root, folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : walk(root, path);
    return [relative(root, path).replaceAll('\\', '/')];
  });
}

const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))));
const problems = problemsUnder(root);
for (const { file, line, message } of problems) console.log(`${file}:${line}: ${message}`);
process.exitCode = problems.length === 0 ? 0 : 1;
