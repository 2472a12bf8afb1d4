// `letterlock hooks test|events`: sends a notice of class `test` to the hooks of a configuration, without a daemon and
// without a second attempt, and says what became of it; lists what hooks can be told of.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Hook } from '../src/ops/hooks/hook.ts';
import { nearest } from '../src/config/nearest.ts';
import { CommandError } from '../src/errors.ts';
import { readBuild } from '../src/ops/build.ts';
import { hookClasses, hookClassNames } from '../src/ops/hooks/classes.ts';
import { readyHooks, type ReadyHook } from '../src/ops/hooks/delivery.ts';
import { notice } from '../src/ops/hooks/notice.ts';
import { payloadOf } from '../src/ops/hooks/payload.ts';
import { printable } from '../src/ops/printable.ts';
import { isSet, textOf } from './args.ts';
import type { Choose, CommandModule, Run, Parser } from './command.ts';
import { withConfig, withJson } from './command.ts';
import type { Io } from './io.ts';
import { configFor } from './settings.ts';
import { aligned } from './table.ts';

const test: Run = async (args, io) => {
  const { config } = await configFor(args, io, { urls: [], needsRoutes: false });
  const { version } = readBuild();
  const chosen = chosenHooks(config.hooks, textOf(args, 'name')).map(once);
  const ready = await readyHooks(chosen, { env: io.env, now: io.now, version });
  const rows = await Promise.all(ready.map((each) => tried(each, { io, version })));
  if (isSet(args, 'json')) io.printJson(rows);
  else for (const row of rows) io.print(...linesOf(row));
  const failed = rows.filter(({ result }) => result === 'failed').map(({ hook }) => hook);
  if (failed.length === 0) return 'done';
  throw new CommandError('network', `not delivered: ${failed.join(', ')}`, {
    code: 'hook-failed',
    hint: 'docs/hooks.md says what a program and a receiver are expected to do.',
  });
};

function chosenHooks(hooks: readonly Hook[], name: string | null): readonly Hook[] {
  const names = hooks.map((hook) => hook.name);
  if (names.length === 0)
    throw new CommandError('not-found', 'the configuration has no hooks', {
      hint: 'docs/hooks.md shows some.',
    });
  if (name === null) return hooks;
  const found = hooks.filter((hook) => hook.name === name);
  if (found.length > 0) return found;
  const near = nearest(name, names);
  throw new CommandError('not-found', `there is no hook ${name}`, {
    hint: near === null ? `There are ${names.join(', ')}.` : `Did you mean ${near}?`,
  });
}

/** Somebody waits for the answer. */
const once = (hook: Hook): Hook => (hook.kind === 'exec' ? hook : { ...hook, retries: 0 });

interface Row {
  readonly hook: string;
  readonly kind: Hook['kind'];
  readonly result: 'delivered' | 'failed';
  readonly detail: string | null;
  readonly seconds: number;
  /** The beginning of what a program wrote. */
  readonly output: string | null;
}

async function tried(
  { hook, deliver }: ReadyHook,
  { io, version }: { readonly io: Io; readonly version: string },
): Promise<Row> {
  const message = `this is a test of the hook ${hook.name}; nothing happened`;
  const dispatch = {
    id: `msg_${randomUUID()}`,
    at: io.now(),
    notice: notice('test', message, {}),
    suppressed: 0,
  };
  const started = performance.now();
  const teller = { machine: hostname(), version };
  const {
    result,
    detail,
    output = '',
  } = await deliver(payloadOf(dispatch, { hook: hook.name, teller }), new AbortController().signal);
  return {
    hook: hook.name,
    kind: hook.kind,
    result,
    detail,
    seconds: Math.round(performance.now() - started) / 1000,
    output: output.trim() === '' ? null : printable(output.trimEnd(), 1000),
  };
}

const linesOf = ({ hook, result, detail, seconds, output }: Row): readonly string[] => [
  `${hook}: ${result}${detail === null ? '' : `, ${detail}`} (${seconds} s)`,
  ...(output === null ? [] : [`  it wrote: ${output}`]),
];

const events: Run = (args, io) => {
  const rows = hookClassNames.map((name) => ({ class: name, ...hookClasses[name] }));
  if (isSet(args, 'json')) io.printJson(rows);
  else
    io.print(
      ...aligned([
        ['CLASS', 'SEVERITY', 'USUAL', 'WHEN'],
        ...rows.map((row) => [row.class, row.severity, row.usual ? 'yes' : 'no', row.when]),
      ]),
    );
  return Promise.resolve('done');
};

const build = (parser: Parser, choose: Choose): Parser =>
  parser
    .usage('Usage: $0 hooks test|events')
    .example('$0 hooks test', 'try every hook of the configuration')
    .command({
      command: 'test [name]',
      describe: 'send a test notice to one hook, or to all, and say what became of it',
      builder: (inner: Parser) =>
        withJson(withConfig(inner))
          .positional('name', { type: 'string', describe: 'the name of a hook' })
          .example('$0 hooks test desktop', 'before it is needed'),
      handler: choose(test),
    })
    .command({
      command: 'events',
      describe: 'list the classes of events that hooks can be told of',
      builder: (inner: Parser) => withJson(inner).example('$0 hooks events', 'for on:'),
      handler: choose(events),
    })
    .demandCommand(1, 'say what to do: test or events');

export const hooksCommand: CommandModule = { build };
