// Where a fingerprint is typed or pasted. Always empty at first; what is missing is said while typing.

import type { ComponentChildren, VNode } from 'preact';
import { useId } from 'preact/hooks';
import { readTyped } from '../words/fingerprint.ts';
import { Icon } from './icon.tsx';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  /** More to say about what was typed. */
  readonly note: ComponentChildren;
  readonly onValue: (value: string) => void;
}

export function FingerprintField({ label, value, note, onValue }: FieldProps): VNode {
  const help = useId();
  const typed = readTyped(value);
  const wrong = typed.kind === 'wrong';
  return (
    <div class="field">
      <label>
        <span>{label}</span>
        <textarea
          rows={2}
          value={value}
          maxLength={512}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder="sha256//… or AB:CD:…"
          aria-describedby={help}
          aria-invalid={wrong}
          onInput={(event) => onValue(event.currentTarget.value)}
          onKeyDown={(event) => {
            // A fingerprint has one line: Enter sends the form, as in a field of one line.
            if (event.key !== 'Enter') return;
            event.preventDefault();
            event.currentTarget.form?.requestSubmit();
          }}
        />
      </label>
      <p id={help} class={wrong ? 'hint hint-wrong' : 'hint'} role="status">
        {wrong ? <Icon name="alert" /> : null}
        {wrong ? typed.problem : note}
      </p>
    </div>
  );
}
