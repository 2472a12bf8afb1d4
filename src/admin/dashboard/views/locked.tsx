// The page without a token: says how to get one, and nothing else.

import type { VNode } from 'preact';
import type { ApiError } from '../data/api.ts';
import { Mark } from '../parts/icon.tsx';
import { ErrorNotice } from '../parts/notice.tsx';

export type LockedReason =
  | { readonly kind: 'none' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'left' }
  | { readonly kind: 'refused'; readonly error: ApiError };

const sentences = {
  none: 'This page opens with a one-time code, made by the program on the machine where letterlock runs.',
  expired: 'The time of this page is over. Nothing was changed.',
  left: 'You locked it: its token counts no more.',
  refused: 'The code did not open the page: each opens it once, and only for a short time.',
} as const;

export function Locked({ reason }: { readonly reason: LockedReason }): VNode {
  return (
    <main class="locked">
      <Mark />
      <h1>{reason.kind === 'expired' ? 'The page is locked again' : 'The page is locked'}</h1>
      <p>{sentences[reason.kind]}</p>
      <p>On that machine, run</p>
      <pre>
        <code>letterlock dashboard</code>
      </pre>
      <p class="quiet">
        To decide about keys here as well: <code>letterlock dashboard --admin</code>
      </p>
      {reason.kind === 'refused' ? <ErrorNotice error={reason.error} /> : null}
    </main>
  );
}
