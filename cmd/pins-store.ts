// `letterlock pins verify` and `repair`: is the store whole, and what are the ways back if it is not. Repair
// shows what it would do unless told which way; it never runs beside a daemon, which has the store locked.

import { CommandError } from '../src/errors.ts';
import { repairStore } from '../src/store/repair.ts';
import type { RepairOptions, RepairReport } from '../src/store/repair.ts';
import { isSet, usage } from './args.ts';
import type { Args } from './args.ts';
import { withConfig, withJson, withOperator, withState } from './command.ts';
import type { Run, Parser } from './command.ts';
import { withOperatorOf } from './operator.ts';
import { configFor } from './settings.ts';
import { counted } from './table.ts';

export const verify: Run = (args, io) =>
  withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const answer = await operator.verify();
    const { state, records } = answer.store;
    if (isSet(args, 'json')) io.printJson(answer);
    else {
      io.print(
        `the pin store is ${state}: ${counted(records, 'record')}, ${answer.auditEntries} audit ${answer.auditEntries === 1 ? 'entry' : 'entries'}`,
        ...answer.problems.map((problem) => `  ${problem}`),
        ...(answer.ok ? [] : ['letterlock pins repair shows the ways back']),
      );
    }
    return answer.ok ? 'done' : 'store';
  });

export const repair: Run = async (args, io) => {
  const mode = modeOf(args);
  const { config } = await configFor(args, io, { urls: [], needsRoutes: false });
  const endpoints = [...new Set(config.routes.map(({ endpoint }) => endpoint.name))];
  const report = await repairStore({ directory: config.state, mode, endpoints, now: io.now() });
  if (report.outcome === 'refused') throw unfit(mode, report);
  if (isSet(args, 'json')) io.printJson(repairShape(report));
  else io.print(...repairLines(report));
  return 'done';
};

const unfit = (mode: Mode, { before, fitting }: RepairReport): CommandError =>
  new CommandError(
    'usage',
    `--${mode} does not fit: the pin store was found ${before.state}; nothing was changed`,
    {
      hint:
        fitting === null ? 'There is nothing to repair.' : `What fits: letterlock pins repair --${fitting}`,
    },
  );

type Mode = RepairOptions['mode'];

function modeOf(args: Args): Mode {
  const asked = [
    ...(isSet(args, 'apply') ? (['apply'] as const) : []),
    ...(isSet(args, 'accept-rollback') ? (['accept-rollback'] as const) : []),
    ...(isSet(args, 'start-over') ? (['start-over'] as const) : []),
  ];
  if (asked.length > 1)
    throw usage(`${asked.map((mode) => `--${mode}`).join(' and ')} are different ways`, 'give one of them');
  return asked[0] ?? 'show';
}

/** What was found, what fits it, and what was or would be done. */
const repairShape = ({ before, fitting, outcome, mended, aside }: RepairReport): Record<string, unknown> => ({
  state: before.state,
  findings: before.findings,
  fitting,
  outcome,
  kept: mended?.kept ?? [],
  stale: mended?.stale ?? [],
  lost: mended?.lost ?? [],
  held: [...(mended?.held ?? [])],
  aside,
});

function repairLines({ before, fitting, outcome, mended, aside }: RepairReport): readonly string[] {
  const done = outcome === 'done';
  return [
    `the pin store was found ${before.state}`,
    ...before.findings.map((finding) => `  ${finding}`),
    ...listed(done ? 'records kept' : 'records that would be kept', mended?.kept),
    ...listed('older than the seal knows them', mended?.stale),
    ...listed(done ? 'records lost' : 'records that would be lost', mended?.lost),
    ...listed('first uses that wait for approval', mended === null ? [] : [...mended.held]),
    ...(aside === null ? [] : [`what was there before is in ${aside}`]),
    ...(done
      ? ['done']
      : fitting === null
        ? ['there is nothing to repair']
        : [`to do it: letterlock pins repair --${fitting}`]),
  ];
}

const listed = (title: string, names: readonly string[] | undefined): readonly string[] =>
  names === undefined || names.length === 0 ? [] : [`${title}:`, ...names.map((name) => `  ${name}`)];

export const buildVerify = (parser: Parser): Parser =>
  withOperator(parser).example('$0 pins verify', 'exit 0 when everything is whole, 6 when not');

export const buildRepair = (parser: Parser): Parser =>
  withJson(withState(withConfig(parser)))
    .option('apply', { type: 'boolean', describe: 'carry out what the plain command shows' })
    .option('accept-rollback', { type: 'boolean', describe: 'the store was put back from a copy on purpose' })
    .option('start-over', {
      type: 'boolean',
      describe: 'begin with an empty store; rejections stay, first uses wait for approval',
    })
    .example('$0 pins repair', 'shows what is wrong and what would be done')
    .example('$0 pins repair --apply', 'does it');
