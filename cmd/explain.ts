// `letterlock explain CODE|REF|CONNECTION|ENDPOINT`: why, step by step, and what to do. A code needs neither daemon nor
// store; a connection is known to the running daemon alone.

import type { Operator } from '../src/admin/operator.ts';
import type { ComparisonShape, ExplanationShape } from '../src/admin/shapes.ts';
import { nearest } from '../src/config/nearest.ts';
import { clientRejections, CommandError, failures, misuses, refusals } from '../src/errors.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { explainCode } from '../src/tofu/explain-code.ts';
import { faults } from '../src/trust/fault.ts';
import { normalizeReference } from '../src/trust/fingerprint.ts';
import { connectionIdIn } from '../src/proxy/connection-id.ts';
import { explanationLines } from './explanation-lines.ts';
import { isSet, requiredText } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
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

const changeLines = (comparison: ComparisonShape): readonly string[] => [
  '',
  'What changed:',
  ...comparisonLines(comparison).map((line) => (line === '' ? line : `  ${line}`)),
];

/** An endpoint in its canonical spelling, a reference, or a connection. @throws CommandError `not-found` for anything else */
function soughtTarget(target: string): string {
  const connection = connectionIdIn(target);
  if (connection !== null) return connection;
  // As it was typed: what is not found is named so.
  if (normalizeReference(target) !== null) return target;
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
        ? 'Give a code such as pin-mismatch, a reference of 8 characters, a connection such as K7Q-123, or HOST:PORT.'
        : `Did you mean ${near}?`;
    throw new CommandError('not-found', `${target} is no code, reference, connection or HOST:PORT`, {
      hint,
      cause,
    });
  }
}

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .positional('target', {
      type: 'string',
      demandOption: true,
      describe: 'a code, a reference, a connection (K7Q-123), or HOST:PORT',
    })
    .usage(
      'Usage: $0 explain CODE|REF|CONNECTION|ENDPOINT\n\nSays why, step by step as it is decided, and what to do.',
    )
    .example('$0 explain pin-mismatch', 'a code from a log or a mail client')
    .example('$0 explain 7F3AK2QM', 'the reference of a refusal')
    .example('$0 explain K7Q-123', 'what came of the connection with this name')
    .example('$0 explain imap.example.org:993', 'how an endpoint stands');

export const explainCommand: CommandModule = { build, run: explain };
