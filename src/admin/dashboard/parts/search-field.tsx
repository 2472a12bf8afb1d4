// A field that narrows a list while somebody types.

import type { VNode } from 'preact';
import { Icon } from './icon.tsx';

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

export function SearchField({ label, value, onValue }: SearchProps): VNode {
  return (
    <label class="search">
      <span class="sr">{label}</span>
      <Icon name="search" />
      <input
        type="search"
        value={value}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}
