// docs/library/reference.md is made of the declarations that programs see; run vitest with -u to write it anew.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { builtBin } from '../lab/build.ts';

const doors = [
  ['letterlock', 'index'],
  ['letterlock/certificate', 'certificate'],
  ['letterlock/level', 'level'],
] as const;

interface Exported {
  readonly name: string;
  /** Relative to the module that exports it; null where it is declared there. */
  readonly from: string | null;
}

/** Names a declaration file exports, in its order. */
function exportsOf(text: string): readonly Exported[] {
  const lists = [...text.matchAll(/^(?:export|import) (?:type )?\{([^}]*)\} from '([^']*)';/gm)];
  const imported = new Map<string, string>();
  const found: Exported[] = [];
  for (const [whole, names = '', from = ''] of lists) {
    for (const name of namesIn(names)) {
      if (whole.startsWith('import')) imported.set(name, from);
      else found.push({ name, from });
    }
  }
  for (const [, names = ''] of text.matchAll(/^export \{([^}]*)\};/gm))
    for (const name of namesIn(names)) found.push({ name, from: imported.get(name) ?? null });
  for (const [, name = ''] of text.matchAll(declared)) found.push({ name, from: null });
  return found;
}

const declared = /^export (?:declare )?(?:abstract )?(?:class|interface|type|const|function) (\w+)/gm;
const namesIn = (list: string): readonly string[] =>
  list
    .split(',')
    .map((part) => part.replace(/^\s*type\s/, '').trim())
    .filter((name) => name !== '');

/** Comment and declaration of a name, as a program's editor shows them. */
async function declarationOf({ name, from }: Exported, file: string): Promise<string> {
  const path = from === null ? file : join(dirname(file), from.replace(/\.ts$/, '.d.ts'));
  const text = await readFile(path, 'utf8');
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:class|interface|type|const|function) ${name}\\b`,
    'm',
  ).exec(text);
  if (start === null) {
    const passed = exportsOf(text).find((other) => other.name === name && other.from !== null);
    if (passed === undefined) throw new Error(`${name} is not declared in ${path}`);
    return declarationOf(passed, path);
  }
  const before = /(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)$/.exec(text.slice(0, start.index));
  const rest = text.slice(start.index);
  const body = rest.slice(0, lengthOfDeclaration(rest));
  return `${before?.[0] ?? ''}${body}`.trim();
}

/** Up to the line that closes what the first one opened. */
function lengthOfDeclaration(text: string): number {
  let length = 0;
  for (const line of text.split('\n')) {
    length += line.length + 1;
    if (/^(?:\}|\S.*[;}])$/.test(line)) return length;
  }
  return length;
}

/** A type that is made of a list of words, as those words. */
async function spelledOut(declaration: string, built: string): Promise<string> {
  const list = /\(typeof (\w+)\)\[number\]/.exec(declaration)?.[1];
  if (list === undefined) return declaration;
  const text = await readFile(join(built, 'src/trust/evidence.d.ts'), 'utf8');
  const words = new RegExp(`const ${list}: readonly \\[(.*)\\];`).exec(text)?.[1];
  if (words === undefined) throw new Error(`${list} is not declared as a list`);
  return declaration.replace(`(typeof ${list})[number]`, words.replaceAll(', ', ' | '));
}

const plain = (declaration: string): string =>
  declaration
    .replaceAll(/^export (?:declare )?/gm, '')
    .replaceAll(/^ +#private;\n/gm, '')
    .replaceAll(/^ +private constructor\(\);\n/gm, '')
    .replaceAll(/^( +)(?=\S)/gm, (indent) => indent.slice(indent.length / 2));

async function referencePage(): Promise<string> {
  const built = dirname(dirname(await builtBin()));
  const parts = [
    '# The library: reference',
    '',
    'Made of the declarations of the package. The tutorial is [tutorial.md](tutorial.md); error codes are in',
    '[codes.md](../codes.md).',
    '',
  ];
  for (const [entry, module] of doors) {
    parts.push(`## \`${entry}\``, '');
    const file = join(built, 'src', `${module}.d.ts`);
    const names = exportsOf(await readFile(file, 'utf8')).toSorted((a, b) =>
      a.name.localeCompare(b.name, 'en'),
    );
    for (const exported of names) {
      const text = await spelledOut(await declarationOf(exported, file), built);
      parts.push(`### ${exported.name}`, '', '```ts', plain(text), '```', '');
    }
  }
  return parts.join('\n');
}

test('the reference has every name of every entry, as it is declared', async () => {
  await expect(await referencePage()).toMatchFileSnapshot('../../docs/library/reference.md');
});
