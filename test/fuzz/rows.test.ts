// The rules of the fuzzing campaign (scripts/campaigns/fuzz/), held against the sources for every input that broke something
// once or reached what others did not (rows/), and for those the targets begin with.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

interface Prepared {
  readonly seeds: readonly (string | Uint8Array)[];
  readonly run: (bytes: Buffer) => unknown;
}

interface Target {
  readonly name: string;
  readonly prepare: (from: (path: string) => Promise<unknown>, folder: string) => Promise<Prepared>;
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const imported = (path: string): Promise<unknown> =>
  import(/* @vite-ignore */ pathToFileURL(join(root, path)).href);
const fuzz = 'scripts/campaigns/fuzz';
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain modules without types
const { targets } = (await imported(`${fuzz}/targets.mjs`)) as { targets: readonly Target[] };
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain modules without types
const { bytesOf, knownRows } = (await imported(`${fuzz}/engine/rows.mjs`)) as {
  bytesOf: (seed: string | Uint8Array) => Buffer;
  knownRows: (name: string) => readonly Buffer[];
};

const folder = mkdtempSync(join(tmpdir(), 'letterlock-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the rules say of an input; null where they hold. */
async function wrongWith(run: Prepared['run'], bytes: Buffer): Promise<string | null> {
  try {
    await run(Buffer.from(bytes));
    return null;
  } catch (error) {
    return `${String(error)} with ${bytes.toString('base64')}`;
  }
}

describe('the rules hold', () => {
  it.each(targets)('for what is known of $name', async ({ name, prepare }) => {
    const own = mkdtempSync(join(folder, `${name}-`));
    const { seeds, run } = await prepare((path) => imported(`${path}.ts`), own);
    const inputs = [...knownRows(name), ...seeds.map(bytesOf)];
    expect(inputs.length).toBeGreaterThan(0);
    for (const bytes of inputs) expect(await wrongWith(run, bytes)).toBeNull();
  });
});
