// What the codes mean: those of refusals, failures, closed clients, mistakes of programs, and faults of certificates.
// Says only what the tables say, and needs neither store nor daemon.

import {
  clientRejections,
  failures,
  isClientRejection,
  isFailure,
  isMisuse,
  isRefusal,
  misuses,
  refusals,
  type RefusalReason,
} from '../errors.ts';
import type { CodeMeaning, Explanation } from './explanation.ts';
import { faultAdvice } from './fault-advice.ts';
import { faults, isFault, type Fault } from './fault.ts';

/** What the code of a refusal, a failure, a closed client or a fault means; null for any other word. Needs no store and no daemon. */
export function explainCode(target: string): Explanation | null {
  const code = target.trim().toLowerCase();
  const meaning = meaningOf(code);
  if (meaning === null) return null;
  const { sentence, steps, advice, kind, permanence } = meaning;
  return {
    target,
    kind: 'code',
    endpoint: null,
    spki: null,
    summary: `${code}: ${sentence}`,
    steps,
    advice,
    decision: null,
    code: { code, kind, permanence, clients: [] },
  };
}

interface Meaning extends Pick<Explanation, 'steps' | 'advice'>, Pick<CodeMeaning, 'kind' | 'permanence'> {
  readonly sentence: string;
}

function meaningOf(code: string): Meaning | null {
  if (isRefusal(code)) return meaningOfRefusal(refusals[code]);
  if (isFailure(code)) {
    const { cause, advice } = failures[code];
    const steps = ['That is no verdict on the server, and nothing was learnt from it.'];
    return {
      kind: 'failure',
      permanence: 'temporary',
      sentence: `letterlock could not reach the server: ${cause}.`,
      steps,
      advice: [advice],
    };
  }
  if (isClientRejection(code)) {
    const { cause, advice } = clientRejections[code];
    const steps = ['The client was closed without an answer; nothing it sent went to a server.'];
    return {
      kind: 'client',
      permanence: null,
      sentence: `letterlock closed a client: ${cause}.`,
      steps,
      advice: [advice],
    };
  }
  if (isMisuse(code)) {
    const { cause, advice } = misuses[code];
    return {
      kind: 'program',
      permanence: null,
      sentence: `a program made a mistake: ${cause}.`,
      steps: ['Nothing was sent.'],
      advice: [advice],
    };
  }
  return isFault(code) ? meaningOfFault(code) : null;
}

function meaningOfRefusal({ cause, advice, permanence }: (typeof refusals)[RefusalReason]): Meaning {
  const decided = 'letterlock decided not to relay; no byte of the mail client was sent to the server.';
  const passes =
    permanence === 'temporary'
      ? 'This may pass by itself.'
      : 'This does not pass by itself: a person has to look.';
  return {
    kind: 'refusal',
    permanence,
    sentence: `letterlock refused the server: ${cause}.`,
    steps: [decided, passes],
    advice: [advice],
  };
}

function meaningOfFault(code: Fault): Meaning {
  const { sentence, blocks } = faults[code];
  const effect =
    blocks === 'ca'
      ? 'Such a certificate is never CA-verified.'
      : 'Such a certificate is never CA-verified and never a first use.';
  return { kind: 'fault', permanence: null, sentence, steps: [effect], advice: [faultAdvice[code]] };
}
