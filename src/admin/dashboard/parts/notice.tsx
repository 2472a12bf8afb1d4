// What went wrong, with what to do; and what was done, with which keys are trusted until when.

import type { VNode } from 'preact';
import type { ApiError } from '../data/api.ts';
import { Icon } from './icon.tsx';
import { Wire } from './words.tsx';

export function ErrorNotice({ error }: { readonly error: ApiError | null }): VNode | null {
  if (error === null) return null;
  return (
    <div class="notice tone-bad" role="alert">
      <Icon name="refused" />
      <div>
        <p>
          <strong>
            <Wire text={sentence(error.message)} />
          </strong>
        </p>
        {error.hint === null ? null : (
          <p>
            <Wire text={error.hint} />
          </p>
        )}
      </div>
    </div>
  );
}

export function AnswerNotice({ lines }: { readonly lines: readonly string[] | null }): VNode | null {
  if (lines === null) return null;
  return (
    <div class="notice tone-good" role="status" data-answer="">
      <Icon name="check" />
      <div>
        {lines.map((line) => (
          <p class={line.startsWith('  ') ? 'answer-key' : ''}>
            <Wire text={line.trim()} />
          </p>
        ))}
      </div>
    </div>
  );
}

const sentence = (text: string): string => {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
};
