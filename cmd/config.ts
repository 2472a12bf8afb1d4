// `letterlock config show|schema`: what holds and where it came from; the JSON Schema for editors.

import type { Config } from '../src/config.ts';
import { shownHook } from '../src/config/hooks.ts';
import type { OriginRow } from '../src/config/origin-row.ts';
import { jsonSchema } from '../src/config/json-schema.ts';
import { settings } from '../src/config/settings.ts';
import { aligned } from './table.ts';
import { isSet } from './args.ts';
import type { Choose, CommandModule, Run, Parser } from './command.ts';
import { withConfig, withJson, withState } from './command.ts';
import { configFor } from './settings.ts';

const show: Run = async (args, io) => {
  const { config, origins } = await configFor(args, io, { urls: [], needsRoutes: false });
  if (isSet(args, 'json'))
    io.printJson({
      config: withoutSecrets(config),
      origins: origins.map(({ path, origin }) => ({ path, origin })),
    });
  else io.print(...aligned(yamlRows(origins, isSet(args, 'origin') ? 'with origins' : 'values only')));
  return 'done';
};

/** Passwords of proxies, and secrets of hooks. */
const withoutSecrets = (config: Config): Config => ({
  ...config,
  hooks: config.hooks.map(shownHook),
  routes: config.routes.map((route) =>
    route.via === null || route.via.login === null
      ? route
      : { ...route, via: { ...route.via, login: { ...route.via.login, password: '***' } } },
  ),
});

const schema: Run = (_args, io) => {
  io.printJson(jsonSchema());
  return Promise.resolve('done');
};

/**
 * The rows as YAML lines, each with a comment that names its origin; the line of a parent has none. What is another for
 * another server of the route is a comment as a whole: read as a setting it would hold for both.
 */
function yamlRows(
  origins: readonly OriginRow[],
  detail: 'with origins' | 'values only',
): readonly (readonly string[])[] {
  const lines: (readonly string[])[] = [];
  let before: OriginRow['path'] = [];
  for (const { path, value, origin, remark } of origins) {
    lines.push(...parentLines(path, before).map((line) => [line]));
    const key = `${remark === null ? '' : '# '}${String(path.at(-1))}`;
    const line = `${leafIndent(path, before)}${key}: ${yamlValue(value)}`;
    const said = [detail === 'with origins' ? origin : null, remark].filter((part) => part !== null);
    lines.push(said.length === 0 ? [line] : [line, `# ${said.join('; ')}`]);
    before = path;
  }
  return lines;
}

/** `routes:` and `limits:` lines that open a new level. A list entry opens with its first key. */
function parentLines(path: OriginRow['path'], before: OriginRow['path']): readonly string[] {
  return path.slice(0, -1).flatMap((step, depth) => {
    const isOpen = path.slice(0, depth + 1).every((one, index) => before[index] === one);
    return isOpen || typeof step === 'number' ? [] : [`${'  '.repeat(depth)}${step}:`];
  });
}

function leafIndent(path: OriginRow['path'], before: OriginRow['path']): string {
  const opensEntry =
    typeof path.at(-2) === 'number' && path.slice(0, -1).some((step, index) => before[index] !== step);
  return opensEntry ? `${'  '.repeat(path.length - 2)}- ` : '  '.repeat(path.length - 1);
}

const yamlValue = (value: OriginRow['value']): string =>
  typeof value === 'string' && /^[A-Za-z/][\w./-]*$/.test(value) && !/^(?:true|false|null)$/.test(value)
    ? value
    : JSON.stringify(value);

const variables = (): string =>
  settings()
    .map(({ variable }) => variable)
    .join('\n  ');

const build = (parser: Parser, choose: Choose): Parser =>
  parser
    .usage('Usage: $0 config show|schema')
    .command({
      command: 'show',
      describe: 'print the configuration in force, defaults included',
      builder: (inner: Parser) =>
        withJson(withState(withConfig(inner)))
          .option('origin', { type: 'boolean', describe: 'name where each value came from' })
          .example('$0 config show -c letterlock.yaml --origin', 'defaults < file < environment < flags')
          .epilogue(
            `Environment variables that are settings:\n  ${variables()}\nLETTERLOCK_CONFIG names the file, LETTERLOCK_SOCKET the socket of the daemon.`,
          ),
      handler: choose(show),
    })
    .command({
      command: 'schema',
      describe: 'print the JSON Schema (draft 7) of the configuration',
      builder: (inner: Parser) =>
        withJson(inner).example('$0 config schema > letterlock.schema.json', 'for editors'),
      handler: choose(schema),
    })
    .demandCommand(1, 'say what to do: show or schema');

export const configCommand: CommandModule = { build };
