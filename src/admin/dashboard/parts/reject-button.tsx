// Rejects one key, after a question. The key is filled in: taking trust away needs no fingerprint from elsewhere.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { orderCommand } from '../data/api.ts';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import type { AnswerShape } from '../wire.ts';
import { Ask } from './ask.tsx';
import { Icon } from './icon.tsx';
import { AnswerNotice } from './notice.tsx';
import { Fingerprint, Wire } from './words.tsx';

interface RejectProps {
  readonly endpoint: string;
  readonly spki: string;
  /** For people: `key K7Q2…`, `this pin`. */
  readonly name: string;
  readonly onChanged: () => void;
}

export function RejectButton({ endpoint, spki, name, onChanged }: RejectProps): VNode {
  const { api, say } = useDesk();
  const [asking, setAsking] = useState(false);
  const { busy, answer, error, give, clear } = useOrder<AnswerShape>();
  const reject = async (): Promise<void> => {
    const done = await give(() => orderCommand(api, { command: 'reject', endpoint, expect: spki }));
    if (done === null) return;
    setAsking(false);
    say(done.lines.join(' '));
    onChanged();
  };
  if (answer !== null) return <AnswerNotice lines={answer.lines} />;
  return (
    <>
      <button
        type="button"
        class="button danger-quiet"
        onClick={() => setAsking(true)}
        aria-label={`Reject ${name} of ${endpoint}`}
      >
        <Icon name="refused" />
        Reject
      </button>
      {asking ? (
        <Ask
          title={`Reject ${name}?`}
          verb="Reject it"
          danger
          confirmWord={null}
          busy={busy}
          error={error}
          onYes={() => void reject()}
          onNo={() => {
            clear();
            setAsking(false);
          }}
        >
          <p>
            <Wire text={endpoint} /> is never accepted with this key again, whatever else vouches for it;
            sessions on it are cut now. It can be allowed again by its fingerprint.
          </p>
          <Fingerprint value={spki} locked />
        </Ask>
      ) : null}
    </>
  );
}
