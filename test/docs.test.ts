import { describe, expect, it } from 'vitest';
import { clientRejections, exitCodes, failures, refusals } from '../src/errors.ts';
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
    parts.push(`### ${code}`, '', `The client reads: \`letterlock refused NAME: ${cause}.\` (${permanence})`, '', advice, '');
  }
  parts.push('## Failures: the world did not let it', '');
  for (const [code, { cause, advice }] of Object.entries(failures)) {
    parts.push(`### ${code}`, '', `The client reads: \`letterlock could not reach NAME: ${cause}.\``, '', advice, '');
  }
  parts.push('## Faults of certificates', '', '| fault | what it means | blocks |', '|---|---|---|');
  for (const [code, { blocks, sentence }] of Object.entries(faults)) {
    parts.push(`| ${code} | ${sentence} | ${blocks === 'ca' ? 'CA validity' : 'CA validity and first use'} |`);
  }
  parts.push('', '## Clients closed without an answer', '', clientRejections.map((code) => `\`${code}\``).join(', '), '');
  parts.push('## Exit codes', '', '| code | name |', '|---|---|');
  for (const [name, code] of Object.entries(exitCodes)) parts.push(`| ${code} | ${name} |`);
  return `${parts.join('\n')}\n`;
}

describe('documents', () => {
  it('list every code as the sources have it', async () => {
    await expect(codesPage()).toMatchFileSnapshot('../docs/codes.md');
  });
});
