// Vouches for a key by a fingerprint that came from elsewhere. Nothing is filled in; what is typed is compared here to
// help at once, and by the daemon, which decides.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { orderCommand } from '../data/api.ts';
import { useDesk } from '../data/desk.ts';
import { useOrder } from '../data/use-order.ts';
import type { AnswerShape } from '../wire.ts';
import { choicesFor, type Choice, type Scene } from '../words/choices.ts';
import { commandLine } from '../words/cli.ts';
import { namesKey, readTyped, type Typed } from '../words/fingerprint.ts';
import { CommandLine } from './command-line.tsx';
import { FingerprintField } from './fingerprint-field.tsx';
import { Icon } from './icon.tsx';
import { AnswerNotice, ErrorNotice } from './notice.tsx';

interface Shown {
  readonly spki: string;
  readonly sha256: string | null;
}

interface ApproveProps {
  readonly endpoint: string;
  /** The key to decide about; null: whichever key of the endpoint the fingerprint names. */
  readonly presented: Shown | null;
  readonly scene: Scene;
  readonly offerUnreject: boolean;
  readonly onChanged: () => void;
}

export function ApproveForm({ endpoint, presented, scene, offerUnreject, onChanged }: ApproveProps): VNode {
  const { api, say } = useDesk();
  const [expect, setExpect] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const [unreject, setUnreject] = useState(false);
  const { busy, answer, error, give } = useOrder<AnswerShape>();
  const typed = readTyped(expect);
  const choices = choicesFor(scene);
  const choice = choices.find(({ id }) => id === chosen) ?? choices[0];
  const fits = isUsable(typed, presented);
  const command = {
    command: 'approve',
    endpoint,
    expect: expect.trim(),
    ...flagsOf(choice),
    unreject,
  } as const;
  const approve = async (): Promise<void> => {
    const done = await give(() => orderCommand(api, command));
    if (done === null) return;
    say(done.lines.join(' '));
    setExpect('');
    onChanged();
  };
  // What was decided stays to be read; the form is done.
  if (answer !== null && presented !== null) return <AnswerNotice lines={answer.lines} />;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fits && !busy) void approve();
      }}
    >
      <FingerprintField
        label="Fingerprint you were told"
        value={expect}
        note={<Compared typed={typed} presented={presented} />}
        onValue={setExpect}
      />
      <ChoiceList choices={choices} chosen={choice?.id ?? ''} onChoose={setChosen} />
      {offerUnreject ? (
        <label class="check">
          <input type="checkbox" checked={unreject} onChange={() => setUnreject(!unreject)} />
          <span>It was rejected here by mistake: allow it again</span>
        </label>
      ) : null}
      <ErrorNotice error={error} />
      <div class="actions">
        <button type="submit" class="button primary" disabled={!fits || busy}>
          <Icon name="check" />
          {busy ? 'Approving…' : 'Approve this key'}
        </button>
      </div>
      <CommandLine line={commandLine(command)} />
      <AnswerNotice lines={answer?.lines ?? null} />
    </form>
  );
}

const flagsOf = (choice: Choice | undefined): Choice['flags'] =>
  choice?.flags ?? { as: null, forMs: null, keep: false, endOld: false };

function isUsable(typed: Typed, presented: Shown | null): boolean {
  if (typed.kind !== 'spki' && typed.kind !== 'either') return false;
  return presented === null || namesKey(typed, presented);
}

function Compared({ typed, presented }: { readonly typed: Typed; readonly presented: Shown | null }): VNode {
  if (typed.kind === 'empty' || typed.kind === 'wrong') {
    return (
      <>
        sha256//… of the key, or the 64 hexadecimal digits that openssl prints. letterlock compares, not you.
      </>
    );
  }
  if (presented === null) return <>Complete. letterlock looks for the key it names.</>;
  return namesKey(typed, presented) ? (
    <span class="compared compared-yes">
      <Icon name="check" /> It names the key that was presented.
    </span>
  ) : (
    <span class="compared compared-no">
      <Icon name="unequal" /> It names another key. Do not approve: somebody may stand between you and the
      server.
    </span>
  );
}

interface ChoiceListProps {
  readonly choices: readonly Choice[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function ChoiceList({ choices, chosen, onChoose }: ChoiceListProps): VNode {
  return (
    <fieldset class="choices">
      <legend>How to trust it</legend>
      {choices.map(({ id, label, note }) => (
        <label class="choice" key={id}>
          <input type="radio" name="choice" checked={chosen === id} onChange={() => onChoose(id)} />
          <span>
            <strong>{label}</strong>
            <span class="quiet">{note}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
