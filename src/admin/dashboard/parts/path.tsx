// The judge's own path: its questions with their answers, and by which of them it ruled.

import type { VNode } from 'preact';
import { pathOf, type Decision, type PathStep } from '../words/path.ts';
import { Badge, Fingerprint, Wire } from './words.tsx';

export function Path({ decision }: { readonly decision: Decision }): VNode {
  const { steps, outcome, reason, why } = pathOf(decision);
  return (
    <div class="path">
      <h3>How it is decided</h3>
      <p class="quiet">
        About <Fingerprint value={decision.spki} locked />, by what is remembered and configured now, and by
        the handshake in which it was last seen.
      </p>
      <ol class="steps">
        {steps.map((step) => (
          <Step step={step} key={step.rule} />
        ))}
      </ol>
      <p>
        <Badge sign={outcome} />{' '}
        {reason === null ? null : (
          <>
            <code>{reason}</code>{' '}
          </>
        )}
        <Wire text={why} />
      </p>
    </div>
  );
}

function Step({ step }: { readonly step: PathStep }): VNode {
  const { asks, found, source, mark } = step;
  return (
    <li class={mark === null ? undefined : 'decides'}>
      {asks}{' '}
      <strong>
        <Wire text={found} />
      </strong>{' '}
      <span class="quiet">{source}</span>
      {mark === null ? null : (
        <>
          {' '}
          <Badge sign={mark} />
        </>
      )}
    </li>
  );
}
