// The judge's own path: its questions with their answers, and by which of them it ruled.

import type { VNode } from 'preact';
import { pathOf, type Decision, type PathStep } from '../words/path.ts';
import { Badge, Fingerprint, Guarded } from './words.tsx';

interface PathProps {
  readonly decision: Decision;
  /** Keys nobody has vouched for: to be read, not to be copied. */
  readonly hidden: readonly string[];
}

export function Path({ decision, hidden }: PathProps): VNode {
  const { steps, outcome, reason, why } = pathOf(decision);
  return (
    <div class="path">
      <h3>How it is decided</h3>
      <p class="quiet">
        About <Fingerprint value={decision.spki} locked={hidden.includes(decision.spki)} />, by what is
        remembered and configured now, and by the handshake in which it was last seen.
      </p>
      <ol class="steps">
        {steps.map((step) => (
          <Step step={step} hidden={hidden} key={step.rule} />
        ))}
      </ol>
      <p>
        <Badge sign={outcome} />{' '}
        {reason === null ? null : (
          <>
            <code>{reason}</code>{' '}
          </>
        )}
        <Guarded text={why} keys={hidden} />
      </p>
    </div>
  );
}

function Step({ step, hidden }: { readonly step: PathStep; readonly hidden: readonly string[] }): VNode {
  const { asks, found, source, mark } = step;
  return (
    <li class={mark === null ? undefined : 'decides'}>
      {asks}{' '}
      <strong>
        <Guarded text={found} keys={hidden} />
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
