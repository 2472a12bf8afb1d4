// What can be done about an endpoint besides deciding about a candidate: probe, confirm, add, undo, forget.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { orderCommand } from '../data/api.ts';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import type { AnswerShape, EndpointRow, PinsRow } from '../wire.ts';
import { AddForm } from './add-form.tsx';
import { ApproveForm } from './approve-form.tsx';
import { Ask } from './ask.tsx';
import { Icon } from './icon.tsx';
import { AnswerNotice } from './notice.tsx';
import { Section } from './page.tsx';
import { ProbeButton } from './probe-button.tsx';
import { Wire } from './words.tsx';

interface ActionsProps {
  readonly endpoint: string;
  readonly row: EndpointRow | null;
  readonly pins: PinsRow | null;
  readonly onChanged: () => void;
}

export function EndpointActions({ endpoint, row, pins, onChanged }: ActionsProps): VNode | null {
  const { mayWrite } = useDesk();
  if (!mayWrite) return null;
  const known = pins !== null && (pins.pins.length > 0 || pins.rejected.length > 0 || pins.lastCa !== null);
  return (
    <Section title="Actions">
      <div class="actions">
        {row?.configured === true ? <ProbeButton endpoint={endpoint} /> : null}
        {pins === null ? null : <TakeBack endpoint={endpoint} kind="undo" onChanged={onChanged} />}
        {known ? <TakeBack endpoint={endpoint} kind="forget" onChanged={onChanged} /> : null}
      </div>
      {known && pins !== null ? (
        <details>
          <summary>Confirm a key that is known here, or allow a rejected one again</summary>
          <ApproveForm
            endpoint={endpoint}
            presented={null}
            scene={{
              policy: row?.policy ?? null,
              caValid: false,
              byCa: pins.state === 'ca',
              hasOthers: pins.pins.filter((pin) => pin.live).length > 1,
              hasEnded: false,
              hasConfigPins: pins.pins.some((pin) => pin.origin === 'config'),
            }}
            offerUnreject={pins.rejected.length > 0}
            onChanged={onChanged}
          />
        </details>
      ) : null}
      <details>
        <summary>Add a pin in advance</summary>
        <AddForm endpoint={endpoint} offerUnreject={(pins?.rejected.length ?? 0) > 0} onChanged={onChanged} />
      </details>
    </Section>
  );
}

const questions = {
  undo: {
    word: 'Undo the last command',
    icon: 'undo',
    title: 'Undo the last command?',
    verb: 'Undo it',
    text: 'What was trusted before it is trusted again; a pin learnt since becomes a refused key that waits. A command can be undone once.',
  },
  forget: {
    word: 'Forget this server',
    icon: 'empty',
    title: 'Forget all about this server?',
    verb: 'Forget it',
    text: 'All its pins go. The next key it shows, whoever shows it, may be trusted on first use. Rejections stay.',
  },
} as const;

interface TakeBackProps {
  readonly endpoint: string;
  readonly kind: keyof typeof questions;
  readonly onChanged: () => void;
}

function TakeBack({ endpoint, kind, onChanged }: TakeBackProps): VNode {
  const { api, say } = useDesk();
  const [asking, setAsking] = useState(false);
  const { busy, answer, error, give, clear } = useOrder<AnswerShape>();
  const { word, icon, title, verb, text } = questions[kind];
  const order = async (): Promise<void> => {
    const command =
      kind === 'undo' ? { command: kind, endpoint } : { command: kind, endpoint, expect: null, yes: true };
    const done = await give(() => orderCommand(api, command));
    if (done === null) return;
    setAsking(false);
    say(done.lines.join(' '));
    onChanged();
  };
  return (
    <>
      <button
        type="button"
        class={kind === 'forget' ? 'button danger-quiet' : 'button'}
        onClick={() => setAsking(true)}
      >
        <Icon name={icon} />
        {word}
      </button>
      <AnswerNotice lines={answer?.lines ?? null} />
      {asking ? (
        <Ask
          title={title}
          verb={verb}
          danger={kind === 'forget'}
          confirmWord={kind === 'forget' ? endpoint : null}
          busy={busy}
          error={error}
          onYes={() => void order()}
          onNo={() => {
            clear();
            setAsking(false);
          }}
        >
          <p>
            <Wire text={endpoint} />: {text}
          </p>
        </Ask>
      ) : null}
    </>
  );
}
