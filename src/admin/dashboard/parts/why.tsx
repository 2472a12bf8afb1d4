// What is known of a server or a key, how the judge decides by it, and what to do, as the daemon explains it. Keys are
// taken out of proposed commands: what is pasted must come from somewhere else.

import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { usePolled } from '../data/use-polled.ts';
import type { Explanation } from '../wire.ts';
import { withoutKeys } from '../words/masked.ts';
import { ErrorNotice } from './notice.tsx';
import { Section } from './page.tsx';
import { Path } from './path.tsx';
import { Wire } from './words.tsx';

interface WhyProps {
  /** An endpoint, a reference or a code. */
  readonly target: string;
  /** Asks again when it moves. */
  readonly turn: number;
}

export function Why({ target, turn }: WhyProps): VNode | null {
  const { api } = useDesk();
  const { value, error, refresh } = usePolled<Explanation>(
    api,
    `explain/${encodeURIComponent(target)}`,
    null,
  );
  useEffect(() => {
    if (turn > 0) refresh();
  }, [turn, refresh]);
  if (error?.code === 'not-found') return null;
  return (
    <Section title="Why, step by step">
      <ErrorNotice error={error} />
      {value === null ? null : (
        <>
          <p>
            <Wire text={value.summary} />
          </p>
          <ol class="steps">
            {value.steps.map((step) => (
              <li key={step}>
                <Wire text={step} />
              </li>
            ))}
          </ol>
          {value.decision === null ? null : <Path decision={value.decision} />}
          {value.advice.length === 0 ? null : (
            <div class="advice">
              <h3>What to do</h3>
              {value.advice.map((line) => (
                <p key={line}>
                  <Wire text={withoutKeys(line)} />
                </p>
              ))}
            </div>
          )}
        </>
      )}
    </Section>
  );
}
