// What a code means, with what mail clients get of it: told by the very conversation that tells a client, so that the
// explanation shows the words a person has before them.

import { isFailure, isRefusal } from '../errors.ts';
import { farewell } from '../mail/farewell.ts';
import type { Protocol } from '../mail/protocol.ts';
import { explainCode as meaningOf } from '../trust/explain-code.ts';
import type { CodeMeaning, Explanation } from '../trust/explanation.ts';
import { failureSentence, refusalSentence } from '../trust/refusal.ts';

/** As in trust/explain-code.ts; null for a word that is no code. */
export function explainCode(target: string): Explanation | null {
  const explanation = meaningOf(target);
  if (explanation === null || explanation.code === null) return explanation;
  return { ...explanation, code: { ...explanation.code, clients: clientsOf(explanation.code) } };
}

const protocols: readonly Protocol[] = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls'];
/** A name and a connection, as a person would find his own there. */
const named = { host: 'NAME' };
const connection = 'K7Q-123';

function clientsOf({ code, permanence }: CodeMeaning): CodeMeaning['clients'] {
  if (permanence === null || code === 'client') return [];
  const text = sentenceOf(code);
  if (text === null) return [];
  const kind = isRefusal(code) ? 'refusal' : 'failure';
  return protocols.map((protocol) => {
    const told = { kind, permanence, text, style: 'greeting', smtpCode: 421, tls: 'none' } as const;
    return { protocol, gets: lineWith(text, protocol, farewell(protocol, told)) ?? 'a reset, without words' };
  });
}

function sentenceOf(code: string): string | null {
  if (isRefusal(code)) return refusalSentence(named, { reason: code, reference: null, connection });
  return isFailure(code) ? failureSentence(named, { reason: code, connection }) : null;
}

/** What a client says that reads on: POP3 and ManageSieve tell it in the answer to this. */
const said: Readonly<Partial<Record<Protocol, string>>> = {
  pop3: 'USER you',
  sieve: 'AUTHENTICATE "CRAM-MD5"',
};

/** The line with the sentence in it; null when the conversation has none. */
function lineWith(
  text: string,
  protocol: Protocol,
  conversation: ReturnType<typeof farewell>,
): string | null {
  const answer = said[protocol] ?? '';
  let step = conversation.next(null);
  for (let turn = 0; turn < 8 && step.done !== true; turn += 1) {
    if ('send' in step.value) {
      const lines = Buffer.from(step.value.send).toString('latin1').split('\r\n');
      const found = lines.find((line) => line.includes(text));
      if (found !== undefined) return found;
    }
    step = conversation.next('receive' in step.value ? { bytes: Buffer.from(answer), text: answer } : null);
  }
  return null;
}
