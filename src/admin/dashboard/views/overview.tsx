// The first view: what needs a decision before anything else, then whether all is well, in figures.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import { Icon } from '../parts/icon.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Rates } from '../parts/rates.tsx';
import { Badge, Empty, Wire } from '../parts/words.tsx';
import type { EndpointRow, RouteRow } from '../wire.ts';
import { concernsOf, type Concern } from '../words/concerns.ts';
import { addressOf } from '../words/route.ts';
import { routeSign } from '../words/signs.ts';
import { byKind } from '../words/tally.ts';

const shownConcerns = 6;

export function OverviewView(): VNode {
  const { status, endpoints, now, lost } = useDesk();
  if (status.value === null || endpoints.value === null) {
    return (
      <Page title="Overview">
        <ErrorNotice error={status.error ?? endpoints.error} />
        <Empty>Asking letterlock…</Empty>
      </Page>
    );
  }
  const rows = endpoints.value;
  const concerns = concernsOf({ status: status.value, endpoints: rows }, now);
  return (
    <Page
      title={lost === null ? titleOf(concerns, rows) : 'As it was last known'}
      lead={<Lead rows={rows} store={status.value.store.state} />}
    >
      {rows.length === 0 ? <FirstSteps /> : null}
      {concerns.length === 0 && (rows.length === 0 || lost !== null) ? null : (
        <Concerns concerns={concerns} />
      )}
      <Trust rows={rows} />
      <Rates />
      <Routes rows={status.value.routes} />
    </Page>
  );
}

function titleOf(concerns: readonly Concern[], rows: readonly EndpointRow[]): string {
  if (concerns.length === 0) return rows.length === 0 ? 'Nothing to watch yet' : 'All is well';
  return concerns.length === 1 ? 'One thing needs you' : `${concerns.length} things need you`;
}

function Lead({ rows, store }: { readonly rows: readonly EndpointRow[]; readonly store: string }): VNode {
  const refusing = rows.filter((row) => row.refusing).length;
  const servers = rows.length === 0 ? 'No server' : rows.length === 1 ? '1 server' : `${rows.length} servers`;
  return (
    <>
      {servers} known, {refusing === 0 ? 'none' : refusing} refused; the pin store is {store}.
    </>
  );
}

function FirstSteps(): VNode {
  return (
    <div class="notice tone-plain">
      <Icon name="info" />
      <p>
        letterlock remembers no server and leads to none. Name one in the configuration, then reload; or try{' '}
        <code>letterlock run imaps://imap.example.org</code>.
      </p>
    </div>
  );
}

function Concerns({ concerns }: { readonly concerns: readonly Concern[] }): VNode {
  if (concerns.length === 0) {
    return (
      <section class="calm tone-good" aria-label="What needs you">
        <Icon name="seal" />
        <p>
          Nothing waits for a decision. Every server that was asked showed what it is known by, and no
          certificate is about to end.
        </p>
      </section>
    );
  }
  const more = concerns.length - shownConcerns;
  return (
    <section aria-label="What needs you" class="concerns">
      {concerns.slice(0, shownConcerns).map((concern) => (
        <article class={`concern tone-${concern.tone}`} key={concern.id}>
          <Icon name={concern.icon} />
          <div>
            <h2>
              <Wire text={concern.title} />
            </h2>
            <p>
              <Wire text={concern.text} />
            </p>
          </div>
          <a
            class={concern.decides === true ? 'button primary' : 'button'}
            href={concern.href}
            aria-label={`${concern.action}: ${concern.title}`}
          >
            {concern.action}
            <Icon name="arrow" />
          </a>
        </article>
      ))}
      {more > 0 ? (
        <p class="quiet">
          and {more} more: <a href={addressOf({ view: 'endpoints' })}>all endpoints</a>, the urgent ones first
        </p>
      ) : null}
    </section>
  );
}

/** A bar for the eye, and its legend as a list that says the same. */
function Trust({ rows }: { readonly rows: readonly EndpointRow[] }): VNode | null {
  if (rows.length === 0) return null;
  const kinds = byKind(rows);
  return (
    <Section
      title="What is trusted, and why"
      side={<a href={addressOf({ view: 'endpoints' })}>All endpoints</a>}
    >
      <div class="stack" aria-hidden="true">
        {kinds.map(({ sign, count }) => (
          <span class={`tone-${sign.tone}`} style={{ flexGrow: count }} key={sign.word} />
        ))}
      </div>
      <ul class="legend">
        {kinds.map(({ sign, count }) => (
          <li class={`tone-${sign.tone}`} key={sign.word}>
            <Icon name={sign.icon} />
            <span class="legend-count">{count}</span>
            <span>
              <strong>{sign.word}</strong>
              <span class="quiet">{sign.meaning}</span>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Routes({ rows }: { readonly rows: readonly RouteRow[] }): VNode | null {
  if (rows.length === 0) return null;
  return (
    <Section title="Routes">
      <div class="scroll" tabIndex={0} role="group" aria-label="Table of routes">
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">Route</th>
              <th scope="col">Listens on</th>
              <th scope="col">Leads to</th>
              <th scope="col">Sessions</th>
              <th scope="col">State</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.name}</th>
                <td data-label="Listens on">
                  <code>{row.listen}</code>
                </td>
                <td data-label="Leads to">
                  <a href={addressOf({ view: 'endpoint', endpoint: row.endpoint })}>
                    <Wire text={row.upstream} />
                  </a>
                </td>
                <td data-label="Sessions" class="number">
                  {row.sessions}
                </td>
                <td data-label="State">
                  <Badge sign={routeSign(row.state)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
