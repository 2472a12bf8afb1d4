// Every change of trust there is a record of, over all endpoints.

import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { usePolled } from '../data/use-polled.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { Empty } from '../parts/words.tsx';
import type { HistoryRow } from '../wire.ts';
import { matchesWords } from '../words/search.ts';
import { changeSign } from '../words/signs.ts';

export function HistoryView(): VNode {
  const { api, changes } = useDesk();
  const { value, error, refresh } = usePolled<readonly HistoryRow[]>(api, 'history', null);
  const [typed, setTyped] = useState('');
  useEffect(() => {
    if (changes > 0) refresh();
  }, [changes, refresh]);
  const rows = useMemo(() => (value ?? []).filter((row) => matchesWords(textOf(row), typed)), [value, typed]);
  return (
    <Page
      title="History"
      lead="Every change of trust; each entry is chained to the one before it (letterlock pins verify)."
    >
      <ErrorNotice error={error} />
      <div class="filters">
        <SearchField label="Search changes" value={typed} onValue={setTyped} />
      </div>
      {value === null ? (
        <Empty>Asking letterlock…</Empty>
      ) : (
        <div class="card">
          <Timeline rows={rows} size={50} withEndpoint />
        </div>
      )}
    </Page>
  );
}

const textOf = (row: HistoryRow): string =>
  [row.endpoint, row.event, changeSign(row.event).word, row.origin, row.detail, row.spki ?? ''].join(' ');
