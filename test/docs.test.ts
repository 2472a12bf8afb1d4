import { describe, expect, it } from 'vitest';
import { defaults, jsonSchema } from '../src/config/schema.ts';
import { settings } from '../src/config/settings.ts';
import { clientRejections, exitCodes, failures, refusals } from '../src/errors.ts';
import { counters, gauges, histograms } from '../src/ops/metric-families.ts';
import { faults } from '../src/trust/fault.ts';

/** docs/codes.md, generated: run vitest with -u to write it anew. */
function codesPage(): string {
  const parts = [
    '# Codes',
    '',
    'Every code letterlock shows: in logs, metrics, `--json`, and behind `Run: letterlock explain CODE`.',
    'This page is generated from `src/errors.ts` and `src/trust/fault.ts`.',
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
  parts.push('## Faults of certificates', '', '| fault | what it means | blocks |', '|---|---|---|');
  for (const [code, { blocks, sentence }] of Object.entries(faults)) {
    parts.push(
      `| ${code} | ${sentence} | ${blocks === 'ca' ? 'CA validity' : 'CA validity and first use'} |`,
    );
  }
  parts.push(
    '',
    '## Clients closed without an answer',
    '',
    clientRejections.map((code) => `\`${code}\``).join(', '),
    '',
  );
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

/** Every key below `node`, depth first, lists as `routes[]`. */
function keysOf(node: SchemaNode, path: string): readonly (readonly [string, SchemaNode])[] {
  const inside = [node, ...(node.anyOf ?? [])];
  return inside.flatMap((each) => [
    ...Object.entries(each.properties ?? {}).flatMap(([key, child]) => {
      const name = path === '' ? key : `${path}.${key}`;
      return [[name, child] as const, ...keysOf(child, name)];
    }),
    ...(each.items === undefined ? [] : keysOf(each.items, `${path}[]`)),
  ]);
}

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

/** docs/configuration.md, generated from the schema. */
function configurationPage(): string {
  const schema = jsonSchema() as SchemaNode;
  const variables = new Map(settings().map(({ key, variable }) => [key, variable]));
  const rows = keysOf(schema, '').map(([name, node]) => {
    const values =
      node.enum === undefined
        ? ''
        : ` One of ${node.enum.map((value) => `\`${String(value)}\``).join(', ')}.`;
    const variable = variables.get(name);
    return `| \`${name}\` | ${node.description ?? ''}${values} | ${defaultOf(name)} | ${variable === undefined ? '' : `\`${variable}\``} |`;
  });
  return [
    '# Configuration',
    '',
    'YAML 1.2, checked whole before anything starts: `letterlock check -c FILE`. What wins is, in this order, a flag, an',
    'environment variable, the file, the default; `letterlock config show --origin` says which did. An unknown key or',
    'variable is an error. Editors read `config/letterlock.schema.json`. This page is generated from `src/config/schema.ts`.',
    '',
    'Trust settings (`trust`, `firstUse`, `pins`, `caFile`) belong to the server, not to the route: a route that leaves one',
    'out takes what another route to the same server gives, and two different ones are an error.',
    '',
    '| key | what it is | default | environment |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

type Families = Readonly<Record<string, readonly [readonly string[], string, ...unknown[]]>>;

const metricRows = (families: Families, type: string): readonly string[] =>
  Object.entries(families).map(
    ([name, [labels, meaning]]) => `| \`letterlock_${name}\` | ${type} | ${labels.join(', ')} | ${meaning} |`,
  );

/** docs/metrics.md, generated from the families. */
function metricsPage(): string {
  return [
    '# Metrics',
    '',
    'On `http://127.0.0.1:9465/metrics` (Prometheus text), with `/healthz` and `/readyz`. Labels come from closed sets: no',
    'user, address or fingerprint ever stands in one. A value that is not known has no series; counters of refusals stand at 0',
    'before the first. This page is generated from `src/ops/metric-families.ts`.',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...metricRows(counters, 'counter'),
    ...metricRows(gauges, 'gauge'),
    ...metricRows(histograms, 'histogram'),
    '',
  ].join('\n');
}

describe('documents', () => {
  it('list every code as the sources have it', async () => {
    await expect(codesPage()).toMatchFileSnapshot('../docs/codes.md');
  });

  it('list every setting as the schema has it', async () => {
    await expect(configurationPage()).toMatchFileSnapshot('../docs/configuration.md');
  });

  it('list every metric as it is registered', async () => {
    await expect(metricsPage()).toMatchFileSnapshot('../docs/metrics.md');
  });
});
