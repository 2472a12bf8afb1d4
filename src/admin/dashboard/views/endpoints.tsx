// Every server letterlock leads to or remembers: how it is trusted, until when its certificate lasts, when it was
// last asked. Those that need somebody stand first.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { LifetimeBar } from '../parts/lifetime.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { Pages } from '../parts/pager.tsx';
import { ProbeButton } from '../parts/probe-button.tsx';
import { SearchField } from '../parts/search-field.tsx';
import { Badge, Empty, When, Wire } from '../parts/words.tsx';
import type { EndpointRow } from '../wire.ts';
import { addressOf } from '../words/route.ts';
import {
  byUrgency,
  endpointText,
  matchesFilter,
  matchesWords,
  type EndpointFilter,
} from '../words/search.ts';
import { signOf, verdicts } from '../words/signs.ts';

const pageSize = 50;

const filters: readonly (readonly [EndpointFilter, string])[] = [
  ['all', 'All'],
  ['deciding', 'To decide'],
  ['refused', 'Refused'],
  ['ca', 'CA-verified'],
  ['pinned', 'Pinned'],
  ['unseen', 'Not seen yet'],
];

export function EndpointsView(): VNode {
  const { endpoints } = useDesk();
  const [filter, setFilter] = useState<EndpointFilter>('all');
  const [typed, setTyped] = useState('');
  const all = endpoints.value ?? [];
  const rows = all
    .filter((row) => matchesFilter(row, filter) && matchesWords(endpointText(row), typed))
    .toSorted(byUrgency);
  return (
    <Page title="Endpoints" lead="Each server by name and port, and what letterlock goes by.">
      <ErrorNotice error={endpoints.error} />
      <div class="filters">
        <SearchField label="Search endpoints" value={typed} onValue={setTyped} />
        <fieldset class="chips">
          <legend class="sr">Show</legend>
          {filters.map(([name, word]) => (
            <label class="chip" key={name}>
              <input type="radio" name="filter" checked={filter === name} onChange={() => setFilter(name)} />
              <span>
                {word} <b>{all.filter((row) => matchesFilter(row, name)).length}</b>
              </span>
            </label>
          ))}
        </fieldset>
      </div>
      {rows.length === 0 ? (
        <Empty>{all.length === 0 ? 'No server is known yet.' : 'None of them fits.'}</Empty>
      ) : null}
      <p class="sr" role="status">
        {rows.length} of {all.length} endpoints
      </p>
      <Pages rows={rows} size={pageSize} what="endpoints">
        {(shown) => (shown.length === 0 ? null : <EndpointTable rows={shown} />)}
      </Pages>
    </Page>
  );
}

function EndpointTable({ rows }: { readonly rows: readonly EndpointRow[] }): VNode {
  const { mayWrite } = useDesk();
  return (
    <div class="card card-flush">
      <table class="rows rows-links">
        <thead>
          <tr>
            <th scope="col">Endpoint</th>
            <th scope="col">Trust</th>
            <th scope="col">Certificate</th>
            <th scope="col">Last asked</th>
            <th scope="col">Probe</th>
            {mayWrite ? (
              <th scope="col">
                <span class="sr">Actions</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row row={row} key={row.endpoint} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { readonly row: EndpointRow }): VNode {
  const { now, mayWrite } = useDesk();
  const certificate = row.lastVerdict?.certificate ?? null;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={addressOf({ view: 'endpoint', endpoint: row.endpoint })}>
          <Wire text={row.endpoint} />
        </a>
        <span class="quiet">{row.configured ? row.routes.join(', ') : 'remembered, not configured'}</span>
      </th>
      <td data-label="Trust">
        <Badge sign={signOf(row)} />
        {row.candidates > 0 ? <strong class="waiting">{waitingText(row.candidates)}</strong> : null}
        <span class="quiet">{row.policy === null ? null : `trust: ${row.policy}`}</span>
      </td>
      <td data-label="Certificate">
        {certificate === null ? (
          <span class="quiet">not seen since the start</span>
        ) : (
          <LifetimeBar dates={certificate} now={now} />
        )}
      </td>
      <td data-label="Last asked">
        <LastAsked row={row} now={now} />
      </td>
      <td data-label="Probe">
        <ProbeTimes row={row} now={now} />
      </td>
      {mayWrite ? (
        <td>
          <ProbeButton endpoint={row.endpoint} />
        </td>
      ) : null}
    </tr>
  );
}

const waitingText = (count: number): string => `${count} to decide`;

interface RowAtTime {
  readonly row: EndpointRow;
  readonly now: number;
}

function LastAsked({ row: { lastVerdict }, now }: RowAtTime): VNode {
  if (lastVerdict === null) return <span class="quiet">not yet</span>;
  const { verdict, reason, at } = lastVerdict;
  return (
    <>
      <span>{verdict === 'refused' ? `refused: ${reason ?? 'no reason'}` : verdicts[verdict].word}</span>
      <span class="quiet">
        <When at={at} now={now} />
      </span>
    </>
  );
}

function ProbeTimes({ row: { lastProbe, nextProbe }, now }: RowAtTime): VNode {
  if (lastProbe === null && nextProbe === null) return <span class="quiet">none planned</span>;
  return (
    <>
      {lastProbe === null ? null : (
        <>
          <span>{lastProbe.result}</span>
          <span class="quiet">
            <When at={lastProbe.at} now={now} />
          </span>
        </>
      )}
      {nextProbe === null ? null : (
        <span class="quiet">
          next <When at={nextProbe} now={now} />
        </span>
      )}
    </>
  );
}
