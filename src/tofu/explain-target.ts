// Chooses what an operator asks about: a code of the code table, a reference, or an endpoint.

import { CommandError } from '../errors.ts';
import { parseEndpoint } from '../endpoint.ts';
import type { StoreHealth } from '../store/pin-store.ts';
import type { Situation } from '../trust/command.ts';
import { explainEndpoint, explainKey } from '../trust/explain.ts';
import type { Explanation } from '../trust/explanation.ts';
import { explainCode } from './explain-code.ts';

interface Known {
  readonly isKnown: (endpoint: string) => boolean;
  readonly byReference: (reference: string) => { readonly endpoint: string; readonly spki: string } | null;
  readonly situation: (endpoint: string) => Situation;
  readonly health: StoreHealth;
}

/** @throws CommandError `not-found` */
export function explainTarget(target: string, known: Known): Explanation {
  const code = explainCode(target);
  if (code !== null) return code;
  const key = known.byReference(target);
  if (key !== null)
    return withHealth(explainKey(target, key.spki, known.situation(key.endpoint)), known.health);
  const endpoint = endpointNamed(target.trim());
  if (endpoint !== null && known.isKnown(endpoint)) {
    return withHealth({ ...explainEndpoint(known.situation(endpoint)), target }, known.health);
  }
  throw new CommandError(
    'not-found',
    `${JSON.stringify(target)} is no code, no reference and no endpoint that is known here`,
    {
      hint: 'letterlock pins list shows the endpoints; a reference has 8 characters.',
    },
  );
}

function withHealth(explanation: Explanation, { state, detail }: StoreHealth): Explanation {
  if (state === 'good') return explanation;
  const step = `The pin store is ${state}${detail === null ? '' : `: ${detail}`}. What the policy needs from it is refused.`;
  return { ...explanation, steps: [step, ...explanation.steps] };
}

function endpointNamed(text: string): string | null {
  try {
    return parseEndpoint(text).name;
  } catch {
    return null;
  }
}
