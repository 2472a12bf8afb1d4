// Shows a long list page by page, so that ten thousand rows cost no more than fifty.

import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

interface PagesProps<T> {
  readonly rows: readonly T[];
  readonly size: number;
  /** What the rows are, for people: `changes`. */
  readonly what: string;
  readonly children: (rows: readonly T[]) => ComponentChildren;
}

export function Pages<T>({ rows, size, what, children }: PagesProps<T>): VNode {
  const [wanted, setWanted] = useState(0);
  const last = Math.max(0, Math.ceil(rows.length / size) - 1);
  const page = Math.min(wanted, last);
  const from = page * size;
  const shown = rows.slice(from, from + size);
  return (
    <>
      {children(shown)}
      {last === 0 ? null : (
        <nav class="pager" aria-label={`Pages of ${what}`}>
          <button type="button" class="button" disabled={page === 0} onClick={() => setWanted(page - 1)}>
            Newer
          </button>
          <span role="status">
            {from + 1} to {from + shown.length} of {rows.length.toLocaleString('en')} {what}
          </span>
          <button type="button" class="button" disabled={page === last} onClick={() => setWanted(page + 1)}>
            Older
          </button>
        </nav>
      )}
    </>
  );
}
