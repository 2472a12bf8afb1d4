// The acted story: first use, mail through, the key changed, the refusal as the client sees it, approval,
// mail again. Every scene checks what it shows; a story that goes otherwise is an error.

import type { PinsRow } from '../admin/shapes.ts';
import { CommandError } from '../errors.ts';
import { readByImap, readByPop3, sendBySmtp, type Outcome } from './clients.ts';
import type { Show } from './dialogue.ts';
import type { Stage } from './stage.ts';

/** Prints lines of the story. */
export type Tell = (...lines: readonly string[]) => void;

export async function actStory(stage: Stage, tell: Tell): Promise<void> {
  await firstUse(stage, tell);
  await mailThrough(stage, tell);
  const reference = await keyChanged(stage, tell);
  await approved(stage, { tell, reference });
}

const quiet: Show = () => undefined;

const shower =
  (tell: Tell): Show =>
  (who, line) =>
    tell(`     ${who}: ${line}`);

async function firstUse(stage: Stage, tell: Tell): Promise<void> {
  tell('', '1. A mail client that cannot check certificates reads its mail through letterlock.');
  expectOk(await readByImap(stage.account, shower(tell)));
  const row = await imapRow(stage);
  const pin = row.pins[0];
  tell(
    `   The server's certificate is self-signed, so no CA could vouch for it. letterlock remembered its key:`,
    `     ${row.endpoint}  ${pin?.spki ?? ''}  (${pin?.origin ?? ''})`,
  );
}

async function mailThrough(stage: Stage, tell: Tell): Promise<void> {
  tell('', '2. It sends a mail, and reads it back.');
  expectOk(await sendBySmtp(stage.account, shower(tell)));
  const { text } = expectOk(await readByImap(stage.account, quiet));
  expectOk(await readByPop3(stage.account, quiet));
  tell(...text.split('\n').map((line) => `     INBOX: ${line}`));
}

async function keyChanged(stage: Stage, tell: Tell): Promise<string> {
  await stage.server.changeKey();
  tell(
    '',
    '3. The server has another key now: reinstalled, or somebody stands in between. Each client is told in its own words.',
  );
  const show = shower(tell);
  const refusals = [
    expectRefused(await readByImap(stage.account, show)),
    expectRefused(await readByPop3(stage.account, show)),
    expectRefused(await sendBySmtp(stage.account, show)),
  ];
  const reference = /letterlock explain ([0-9A-Z]{8})/.exec(refusals[0] ?? '')?.[1];
  if (reference === undefined) throw new CommandError('internal', 'the refusal names no reference');
  tell('   No user name, no password and no mail left this machine.');
  return reference;
}

async function approved(
  stage: Stage,
  { tell, reference }: { readonly tell: Tell; readonly reference: string },
): Promise<void> {
  const { operator } = stage.daemon;
  tell('', `4. What happened?  $ letterlock explain ${reference}`);
  const explanation = await operator.explain(reference);
  tell(...[explanation.summary, ...explanation.steps].map((line) => `     ${line}`));
  const spki = (await imapRow(stage)).candidates[0]?.spki ?? '';
  tell(
    '',
    '5. The operator asks the people who run the server for the fingerprint, compares, and approves the new key.',
  );
  for (const endpoint of stage.endpoints) {
    tell(`     $ letterlock pins approve ${endpoint} --expect ${spki} --end-old`);
    const facts = { forMs: null, as: null, keep: false, endOld: true, unreject: false } as const;
    const { lines } = await operator.command({ command: 'approve', endpoint, expect: spki, ...facts });
    if (endpoint === stage.endpoints[0]) tell(...lines.map((line) => `       ${line}`));
  }
  tell('', '6. Mail again.');
  const { text } = expectOk(await readByImap(stage.account, shower(tell)));
  tell(`   ${text.split('\n').length} mails in the INBOX.`);
}

async function imapRow({ daemon, endpoints }: Stage): Promise<PinsRow> {
  return daemon.operator.pin(endpoints[0] ?? '');
}

function expectOk(outcome: Outcome): Extract<Outcome, { readonly ok: true }> {
  if (outcome.ok) return outcome;
  throw new CommandError('internal', `the demo's mail client was turned away: ${outcome.said}`);
}

function expectRefused(outcome: Outcome): string {
  if (!outcome.ok && outcome.said.includes('letterlock refused')) return outcome.said;
  throw new CommandError('internal', 'the demo expected a refusal and saw none');
}
