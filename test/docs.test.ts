import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../src/config/json-schema.ts';
import { defaults } from '../src/config/schema.ts';
import { settings } from '../src/config/settings.ts';
import { clientRejections, exitCodes, failures, misuses, refusals } from '../src/codes.ts';
import { counters, gauges, histograms } from '../src/ops/metric-families.ts';
import { closedLabels } from './monitoring/promql.ts';
import { faultAdvice } from '../src/trust/fault-advice.ts';
import { faults, isFault } from '../src/trust/fault.ts';
import { hookEventSchema, hooksPage } from './ops/hooks/page.ts';

/** docs/codes.md, generated: run vitest with -u to write it anew. */
function codesPage(): string {
  const parts = [
    '# Codes',
    '',
    'Every code letterlock shows: in logs, metrics, `--json`, and behind `Run: letterlock explain CODE`.',
    'This page is generated from `src/codes.ts` and `src/trust/fault.ts`.',
    '',
    '## Refusals: letterlock decided not to',
    '',
  ];
  for (const [code, { permanence, cause, advice }] of Object.entries(refusals)) {
    parts.push(
      `### ${code}`,
      '',
      `The client reads: \`letterlock refused NAME: ${cause}.\` (${permanence})`,
      '',
      advice,
      '',
    );
  }
  parts.push('## Failures: the world did not let it', '');
  for (const [code, { cause, advice }] of Object.entries(failures)) {
    parts.push(
      `### ${code}`,
      '',
      `The client reads: \`letterlock could not reach NAME: ${cause}.\``,
      '',
      advice,
      '',
    );
  }
  parts.push(
    '## Faults of certificates',
    '',
    'All that are found are listed together. Where pins decide, none of them stops a key that is pinned.',
    '',
  );
  for (const code of Object.keys(faults).filter(isFault)) {
    const { blocks, sentence } = faults[code];
    const blocked = blocks === 'ca' ? 'CA validity' : 'CA validity and first use';
    parts.push(`### ${code}`, '', `${sentence} (Blocks ${blocked}.)`, '', faultAdvice[code], '');
  }
  parts.push(
    '## Clients closed without an answer',
    '',
    '| code | what happened | what to do |',
    '|---|---|---|',
  );
  for (const [code, { cause, advice }] of Object.entries(clientRejections))
    parts.push(`| ${code} | ${cause} | ${advice} |`);
  parts.push('');
  parts.push(
    '## Mistakes of programs that use the library',
    '',
    '| code | what happened | what to do |',
    '|---|---|---|',
  );
  for (const [code, { cause, advice }] of Object.entries(misuses))
    parts.push(`| ${code} | ${cause} | ${advice} |`);
  parts.push('');
  parts.push('## Exit codes', '', '| code | name |', '|---|---|');
  for (const [name, code] of Object.entries(exitCodes)) parts.push(`| ${code} | ${name} |`);
  return `${parts.join('\n')}\n`;
}

interface SchemaNode {
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Every key below `node`, depth first, lists as `routes[]`; a mapping that may stand alone or in a list once. */
function keysOf(node: SchemaNode, path: string): readonly (readonly [string, SchemaNode])[] {
  const forms = [node, ...(node.anyOf ?? [])];
  const inside = forms.flatMap((form) =>
    Object.entries(form.properties ?? {}).flatMap(([key, child]) => {
      const name = path === '' ? key : `${path}.${key}`;
      return [[name, child] as const, ...keysOf(child, name)];
    }),
  );
  if (inside.length > 0) return inside;
  return forms.flatMap((form) => (form.items === undefined ? [] : keysOf(form.items, `${path}[]`)));
}

/** The words a value may be, also where it may be something else instead. */
const wordsOf = (node: SchemaNode): readonly unknown[] =>
  [node, ...(node.anyOf ?? [])].flatMap((form) => form.enum ?? []);

function defaultOf(name: string): string {
  const value = name
    .split('.')
    .reduce<unknown>(
      (found, key) => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined),
      defaults,
    );
  return value === undefined || (typeof value === 'object' && !Array.isArray(value))
    ? ''
    : `\`${JSON.stringify(value)}\``;
}

/** What is written by hand in docs/configuration.md begins here. */
const handWritten = '## Examples\n';

/** docs/configuration.md: the table is generated from the schema, the examples below it stay as they are. */
async function configurationPage(): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '../docs/configuration.md'), 'utf8');
  const schema = jsonSchema() as SchemaNode;
  const variables = new Map(settings().map(({ key, variable }) => [key, variable]));
  const rows = keysOf(schema, '').map(([name, node]) => {
    const words = wordsOf(node).map((value) => `\`${String(value)}\``);
    const values =
      words.length === 0 ? '' : ` ${node.anyOf === undefined ? 'One' : 'Also one'} of ${words.join(', ')}.`;
    const variable = variables.get(name);
    return `| \`${name}\` | ${node.description ?? ''}${values} | ${defaultOf(name)} | ${variable === undefined ? '' : `\`${variable}\``} |`;
  });
  return [
    '# Configuration',
    '',
    'YAML 1.2, checked whole before anything starts: `letterlock check -c FILE`. What wins is, in this order, a flag, an',
    'environment variable, the file, the default; `letterlock config show --origin` says which did. An unknown key or',
    'variable is an error. Editors read `config/letterlock.schema.json`. The table is generated from `src/config/schema.ts`;',
    'examples of what a route can do stand below it.',
    '',
    'Trust settings (`trust`, `firstUse`, `pins`, `dane`, `caFile`, `crlFile`, `handOver`, `continuity`, `corroborate`) belong to',
    'the server, not to the route: a route that leaves one out takes what another route to the same server gives, and two',
    'different ones are an error.',
    '',
    '| key | what it is | default | environment |',
    '|---|---|---|---|',
    ...rows,
    '',
    page.slice(page.indexOf(handWritten)),
  ].join('\n');
}

type Families = Readonly<Record<string, readonly [readonly string[], string, ...unknown[]]>>;

const metricRows = (families: Families, type: string): readonly string[] =>
  Object.entries(families).map(
    ([name, [labels, meaning]]) => `| \`letterlock_${name}\` | ${type} | ${labels.join(', ')} | ${meaning} |`,
  );

const labelRows = (): readonly string[] =>
  Object.entries(closedLabels).map(([where, values]) => {
    const [metric = '', label = ''] = where.split(' ');
    return `| \`${metric}\` | ${label} | ${[...new Set(values)].join(', ')} |`;
  });

/** docs/metrics.md, generated from the families. */
function metricsPage(): string {
  return [
    '# Metrics',
    '',
    'On `http://127.0.0.1:9465/metrics` (Prometheus text). How to scrape, alert and draw them: [monitoring](monitoring.md). Labels',
    'come from closed sets: no user, address or fingerprint ever stands in one. A value that is not known has no series; counters',
    'of refusals stand at 0 before the first. Histograms are left out at `metrics.level: minimal`. This page is generated from',
    '`src/ops/metric-families.ts`.',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...metricRows(counters, 'counter'),
    ...metricRows(gauges, 'gauge'),
    ...metricRows(histograms, 'histogram'),
    '',
    'Of the process: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds`, `process_max_fds`,',
    '`nodejs_eventloop_lag_{p50,p90,p99,max}_seconds` (since the scrape before) and, at level full, `nodejs_gc_duration_seconds`.',
    'A loop without work is looked at every five seconds only, which counts as not late: short holds in such a time may go unseen.',
    '',
    '## Values of labels',
    '',
    '`route` is the name of a route, `upstream` the `name:port` of a server, `hook` the name of a hook, or `other` beyond',
    '`metrics.maxLabelValues`. The rest:',
    '',
    '| metric | label | values |',
    '|---|---|---|',
    ...labelRows(),
    '',
  ].join('\n');
}

const pagesOfAttacks = async (): Promise<string> =>
  (
    await Promise.all(
      ['SECURITY.md', 'docs/past-attacks.md'].map((page) =>
        readFile(join(import.meta.dirname, '..', page), 'utf8'),
      ),
    )
  ).join('\n');

/** Whether a test, or a row of one, is called so: as it is written, between quotes of some kind. */
function isTitle(path: string, title: string): boolean {
  const text = readFileSync(join(import.meta.dirname, '..', path), 'utf8');
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`));
}

describe('documents', () => {
  it('list every code as the sources have it', async () => {
    await expect(codesPage()).toMatchFileSnapshot('../docs/codes.md');
  });

  it('list every setting as the schema has it', async () => {
    await expect(await configurationPage()).toMatchFileSnapshot('../docs/configuration.md');
  });

  it('list what hooks are told, and the form of it', async () => {
    await expect(await hooksPage()).toMatchFileSnapshot('../docs/hooks.md');
    await expect(`${JSON.stringify(hookEventSchema(), null, 2)}\n`).toMatchFileSnapshot(
      '../config/hook-event.schema.json',
    );
  });

  it.each(['SECURITY.md', 'docs/past-attacks.md'])('%s names tests that are there', async (page) => {
    const text = await readFile(join(import.meta.dirname, '..', page), 'utf8');
    const named = [...new Set(text.match(/test\/[\w./-]+\.ts/g))];
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(import.meta.dirname, '..', path)))).toEqual([]);
  });

  it('name tests and campaigns by titles that are there', async () => {
    const root = join(import.meta.dirname, '..');
    const text = await pagesOfAttacks();
    const titled = [...text.matchAll(/`(test\/[\w./-]+\.ts)` \(`([^`]+)`\)/g)];
    expect(titled.length).toBeGreaterThan(30);
    const absent = titled.filter(([, path = '', title = '']) => !isTitle(path, title));
    expect(absent.map(([, path, title]) => `${path}: ${title}`)).toEqual([]);
    const listed = join(root, 'scripts/campaigns/list.mjs');
    const { campaigns }: { readonly campaigns: readonly { readonly name: string }[] } = await import(
      /* @vite-ignore */ listed
    );
    const named = [...text.matchAll(/campaigns? ((?:`\w+`(?:, )?)+)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/\w+/g)].map(([name]) => name),
    );
    const known = campaigns.map(({ name }) => name);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it.each([
    ['SECURITY.md', '| attacker |'],
    ['docs/past-attacks.md', '| attack |'],
  ])('%s has something that shows each row, or says that it is out of scope', async (page, head) => {
    const rows = (await readFile(join(import.meta.dirname, '..', page), 'utf8'))
      .split('\n\n')
      .filter((block) => block.startsWith(head))
      .flatMap((block) => block.trimEnd().split('\n').slice(2));
    expect(rows.length).toBeGreaterThan(10);
    const bare = rows.filter(
      (row) => !/`test\/[\w./-]+`|campaigns? `\w+`|out of scope/.test(row.split(' | ').at(-1) ?? ''),
    );
    expect(bare).toEqual([]);
  });

  it('list every metric as it is registered', async () => {
    await expect(metricsPage()).toMatchFileSnapshot('../docs/metrics.md');
  });
});
