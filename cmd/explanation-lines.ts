// An explanation as lines for people: what is known, how the judge decides by it, and what to do.

import type { ExplanationShape } from '../src/admin/shapes.ts';
import { facts } from './table.ts';

export const explanationLines = (explanation: ExplanationShape): readonly string[] => {
  const { endpoint, spki, summary, kind, steps, decision, code, advice } = explanation;
  return [
    summary,
    ...(endpoint === null ? [] : [`  endpoint  ${endpoint}`]),
    ...(spki === null ? [] : [`  key       ${spki}`]),
    ...section(kind === 'session' ? 'What happened:' : 'Why:', numbered(steps)),
    ...(decision === null ? [] : decisionLines(decision)),
    ...(code === null ? [] : section('What clients get:', facts(code.clients.map(clientRow)))),
    ...section(
      'What to do:',
      advice.map((line) => `  ${line}`),
    ),
  ];
};

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['', title, ...lines];

const numbered = (steps: readonly string[]): readonly string[] =>
  steps.map((step, index) => `  ${index + 1}. ${step}`);

const clientRow = ({
  protocol,
  gets,
}: NonNullable<ExplanationShape['code']>['clients'][number]): readonly [string, string] => [protocol, gets];

/** The questions of the judge; an arrow stands before the one whose answer decides. */
function decisionLines(decision: NonNullable<ExplanationShape['decision']>): readonly string[] {
  const { spki, steps, verdict, basis, reason, why } = decision;
  const rows = steps.map(({ asks, found, from, decides }): readonly [string, string] => [
    `${decides ? '>' : ' '} ${asks}`,
    `${found} (${from})`,
  ]);
  return [
    ...section(`How it is decided about ${spki}:`, facts(rows)),
    `  = ${verdict}: ${basis ?? reason ?? ''}. ${why}`,
    '  By what is remembered and configured now; the handshake is taken to be as it was when the key was last seen.',
  ];
}
