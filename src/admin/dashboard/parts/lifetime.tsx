// The life of a certificate as a bar from its first day to its last, with today on it, and the same in words.

import type { VNode } from 'preact';
import { dateText, lifetimeOf } from '../words/format.ts';
import { Icon } from './icon.tsx';

interface Dates {
  readonly notBefore: string | null;
  readonly notAfter: string | null;
}

export function LifetimeBar({ dates, now }: { readonly dates: Dates; readonly now: number }): VNode {
  const life = lifetimeOf(dates, now);
  if (life === null) return <span class="quiet">no dates</span>;
  const from = dates.notBefore === null ? '' : dateText(dates.notBefore).slice(0, 10);
  const to = dates.notAfter === null ? '' : dateText(dates.notAfter).slice(0, 10);
  return (
    <span class={`life life-${life.phase}`} title={`${from} to ${to}`}>
      <span class="life-bar" aria-hidden="true" style={{ '--spent': `${(life.spent * 100).toFixed(1)}%` }}>
        <span />
      </span>
      <span class="life-text">
        {life.phase === 'good' ? null : <Icon name={life.phase === 'ending' ? 'clock' : 'alert'} />}
        {life.text}
        <span class="sr">
          {' '}
          of a life from {from} to {to}
        </span>
      </span>
    </span>
  );
}
