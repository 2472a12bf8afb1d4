// Names a key before the server shows it.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { orderCommand } from '../data/api.ts';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import type { AnswerShape } from '../wire.ts';
import { commandLine } from '../words/cli.ts';
import { readTyped } from '../words/fingerprint.ts';
import { CommandLine } from './command-line.tsx';
import { FingerprintField } from './fingerprint-field.tsx';
import { AnswerNotice, ErrorNotice } from './notice.tsx';

interface AddProps {
  readonly endpoint: string;
  readonly offerUnreject: boolean;
  readonly onChanged: () => void;
}

const dayMs = 86_400_000;
const spans = [
  ['', 'for good'],
  [String(dayMs), 'for 1 day'],
  [String(7 * dayMs), 'for 7 days'],
  [String(30 * dayMs), 'for 30 days'],
] as const;

export function AddForm({ endpoint, offerUnreject, onChanged }: AddProps): VNode {
  const { api, say } = useDesk();
  const [pin, setPin] = useState('');
  const [span, setSpan] = useState('');
  const [unreject, setUnreject] = useState(false);
  const { busy, answer, error, give } = useOrder<AnswerShape>();
  const typed = readTyped(pin);
  const command = {
    command: 'add',
    endpoint,
    pin: pin.trim(),
    forMs: span === '' ? null : Number(span),
    unreject,
  } as const;
  const add = async (): Promise<void> => {
    const done = await give(() => orderCommand(api, command));
    if (done === null) return;
    say(done.lines.join(' '));
    setPin('');
    onChanged();
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.kind === 'spki' && !busy) void add();
      }}
    >
      <FingerprintField
        label="Fingerprint of the key"
        value={pin}
        note={
          typed.kind === 'either'
            ? 'This may be that of a certificate; a pin names a key: sha256//…, as letterlock cert FILE prints it.'
            : null
        }
        onValue={setPin}
      />
      <label class="field">
        <span>It counts</span>
        <select value={span} onChange={(event) => setSpan(event.currentTarget.value)}>
          {spans.map(([value, word]) => (
            <option value={value} key={value}>
              {word}
            </option>
          ))}
        </select>
      </label>
      {offerUnreject ? (
        <label class="check">
          <input type="checkbox" checked={unreject} onChange={() => setUnreject(!unreject)} />
          <span>Also if it was rejected here before</span>
        </label>
      ) : null}
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="submit" class="button primary" disabled={typed.kind !== 'spki' || busy}>
          {busy ? 'Adding…' : 'Add the pin'}
        </button>
      </div>
      <CommandLine line={commandLine(command)} />
      <AnswerNotice lines={answer?.lines ?? null} />
    </form>
  );
}
