// The mail programs that are connected now. Nothing of what they say is known here.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { Pages } from '../parts/pager.tsx';
import { Rates } from '../parts/rates.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { Badge, Empty, When, Wire } from '../parts/words.tsx';
import type { SessionRow } from '../wire.ts';
import { bytesText } from '../words/format.ts';
import { addressOf } from '../words/route.ts';
import { matchesWords } from '../words/search.ts';
import { stages, verdicts } from '../words/signs.ts';

export function SessionsView(): VNode {
  const { sessions } = useDesk();
  const [typed, setTyped] = useState('');
  const rows = (sessions.value ?? []).filter((row) => matchesWords(textOf(row), typed));
  return (
    <Page
      title="Sessions"
      lead="One row for each mail program that is connected now; the number is its connection id in log and events."
    >
      <ErrorNotice error={sessions.error} />
      <Rates />
      <div class="filters">
        <SearchField label="Search sessions" value={typed} onValue={setTyped} />
      </div>
      {rows.length === 0 ? (
        <Empty>{typed === '' ? 'Nobody is connected now.' : 'None of them fits.'}</Empty>
      ) : null}
      <Pages rows={rows} size={50} what="sessions">
        {(shown) => (shown.length === 0 ? null : <SessionTable rows={shown} />)}
      </Pages>
    </Page>
  );
}

const textOf = (row: SessionRow): string =>
  [row.id, row.route, row.endpoint, row.client ?? '', row.server ?? '', row.protocol, row.basis ?? ''].join(
    ' ',
  );

function SessionTable({ rows }: { readonly rows: readonly SessionRow[] }): VNode {
  return (
    <div class="card card-flush">
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Server</th>
            <th scope="col">Trusted by</th>
            <th scope="col">Client</th>
            <th scope="col">Since</th>
            <th scope="col">Carried</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row row={row} key={row.id} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { readonly row: SessionRow }): VNode {
  const { now } = useDesk();
  return (
    <tr>
      <th scope="row" class="number">
        {row.id}
      </th>
      <td data-label="Server">
        <a href={addressOf({ view: 'endpoint', endpoint: row.endpoint })}>
          <Wire text={row.endpoint} />
        </a>
        <span class="quiet">
          {row.protocol}, route {row.route}
          {row.server === null ? '' : `, ${row.server}`}
        </span>
      </td>
      <td data-label="Trusted by">
        {row.basis === null ? stages[row.stage] : <Badge sign={verdicts[row.basis]} />}
      </td>
      <td data-label="Client">
        <span>{row.client ?? 'unknown'}</span>
        <span class="quiet">{row.clientTls ?? 'without TLS'}</span>
      </td>
      <td data-label="Since">
        <When at={row.startedAt} now={now} />
        <span class="quiet">{stages[row.stage]}</span>
      </td>
      <td data-label="Carried" class="number">
        <span>{bytesText(row.bytesUp)} sent</span>
        <span class="quiet">{bytesText(row.bytesDown)} received</span>
      </td>
    </tr>
  );
}
