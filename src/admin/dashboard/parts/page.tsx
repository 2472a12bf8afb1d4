// A view with its heading. The heading takes the focus when the view changes, so that a reader begins there.

import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';

interface PageProps {
  readonly title: ComponentChildren;
  readonly lead?: ComponentChildren;
  readonly side?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, lead, side, children }: PageProps): VNode {
  const heading = useRef<HTMLHeadingElement>(null);
  const { moved } = useDesk();
  useEffect(() => {
    if (moved.current) heading.current?.focus({ preventScroll: true });
  }, [moved]);
  return (
    <>
      <div class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead === undefined ? null : <p class="lead">{lead}</p>}
        </div>
        {side === undefined ? null : <div class="actions">{side}</div>}
      </div>
      {children}
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly side?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ title, side, children }: SectionProps): VNode {
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        {side}
      </div>
      {children}
    </section>
  );
}
