// `letterlock explain CODE|REF|ENDPOINT`: why, step by step, and what to do. A code needs neither daemon nor store.

import type { Argv } from 'yargs';
import type { Operator } from '../src/admin/operator.ts';
import type { ComparisonShape, ExplanationShape } from '../src/admin/shapes.ts';
import { nearest } from '../src/config/nearest.ts';
import { clientRejections, CommandError, failures, misuses, refusals } from '../src/errors.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { explainCode } from '../src/trust/explain.ts';
import { faults } from '../src/trust/fault.ts';
import { normalizeReference } from '../src/trust/fingerprint.ts';
import { isSet, requiredText } from './args.ts';
import type { CommandModule, Run } from './command.ts';
import { withOperator } from './command.ts';
import { comparisonLines } from './comparison-lines.ts';
import type { Io } from './io.ts';

const explain: Run = async (args, io) => {
  const target = requiredText(args, 'target');
  const known = explainCode(target);
  if (known !== null) return say(known, { io, json: isSet(args, 'json') });
  const sought = soughtTarget(target);
  const { withOperatorOf } = await import('./operator.ts');
  return withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const explanation = await operator.explain(sought);
    const comparison = explanation.kind === 'reference' ? await comparisonOf(operator, sought) : null;
    return say(explanation, { io, json: isSet(args, 'json'), comparison });
  });
};

/** Null for a key that waits for nothing. */
async function comparisonOf(operator: Operator, reference: string): Promise<ComparisonShape | null> {
  try {
    return await operator.candidate(reference);
  } catch (error) {
    if (error instanceof CommandError && error.exit === 'not-found') return null;
    throw error;
  }
}

function say(
  explanation: ExplanationShape,
  {
    io,
    json,
    comparison = null,
  }: { readonly io: Io; readonly json: boolean; readonly comparison?: ComparisonShape | null },
): 'done' {
  if (json) io.printJson(comparison === null ? explanation : { ...explanation, comparison });
  else io.print(...explanationLines(explanation), ...(comparison === null ? [] : changeLines(comparison)));
  return 'done';
}

const explanationLines = ({
  endpoint,
  spki,
  summary,
  steps,
  advice,
}: ExplanationShape): readonly string[] => [
  summary,
  ...(endpoint === null ? [] : [`  endpoint  ${endpoint}`]),
  ...(spki === null ? [] : [`  key       ${spki}`]),
  ...(steps.length === 0 ? [] : ['', 'Why:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)]),
  ...(advice.length === 0 ? [] : ['', 'What to do:', ...advice.map((line) => `  ${line}`)]),
];

const changeLines = (comparison: ComparisonShape): readonly string[] => [
  '',
  'What changed:',
  ...comparisonLines(comparison).map((line) => (line === '' ? line : `  ${line}`)),
];

/** An endpoint in its canonical spelling, or a reference. @throws CommandError `not-found` for anything else */
function soughtTarget(target: string): string {
  const reference = normalizeReference(target);
  if (reference !== null) return reference;
  try {
    return parseEndpoint(target).name;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const near = nearest(target, [
      ...Object.keys(refusals),
      ...Object.keys(failures),
      ...Object.keys(clientRejections),
      ...Object.keys(misuses),
      ...Object.keys(faults),
    ]);
    const hint =
      near === null
        ? 'Give a code such as pin-mismatch, a reference of 8 characters, or HOST:PORT.'
        : `Did you mean ${near}?`;
    throw new CommandError('not-found', `${target} is no code, reference or HOST:PORT`, { hint, cause });
  }
}

const build = (parser: Argv): Argv =>
  withOperator(parser)
    .positional('target', {
      type: 'string',
      demandOption: true,
      describe: 'a code, a reference, or HOST:PORT',
    })
    .usage('Usage: $0 explain CODE|REF|ENDPOINT\n\nSays why, step by step, and what to do.')
    .example('$0 explain pin-mismatch', 'a code from a log or a mail client')
    .example('$0 explain 7F3AK2QM', 'the reference of a refusal')
    .example('$0 explain imap.example.org:993', 'how an endpoint stands');

export const explainCommand: CommandModule = { build, run: explain };
