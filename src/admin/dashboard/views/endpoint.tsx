// All about one server: what waits for a decision, what is trusted and why, what happened, and what can be done.

import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { useDesk } from '../data/desk.ts';
import { usePolled } from '../data/use-polled.ts';
import { Candidates } from '../parts/candidates.tsx';
import { EndpointActions } from '../parts/endpoint-actions.tsx';
import { Keys } from '../parts/keys.tsx';
import { LifetimeBar } from '../parts/lifetime.tsx';
import { ErrorNotice } from '../parts/notice.tsx';
import { Page, Section } from '../parts/page.tsx';
import { Timeline } from '../parts/timeline.tsx';
import { Badge, Empty, Fingerprint, When, Wire } from '../parts/words.tsx';
import { Why } from '../parts/why.tsx';
import type { EndpointRow, HistoryRow, LastVerdict, PinsRow } from '../wire.ts';
import { dateText } from '../words/format.ts';
import { signOf, states, verdicts } from '../words/signs.ts';

export function EndpointView({ endpoint }: { readonly endpoint: string }): VNode {
  const { api, endpoints, changes } = useDesk();
  const name = encodeURIComponent(endpoint);
  const pins = usePolled<PinsRow>(api, `pins/${name}`, null);
  const history = usePolled<readonly HistoryRow[]>(api, `history?endpoint=${name}`, null);
  const row = endpoints.value?.find((known) => known.endpoint === endpoint) ?? null;
  const { refresh } = pins;
  const refreshHistory = history.refresh;
  useEffect(() => {
    if (changes === 0) return;
    refresh();
    refreshHistory();
  }, [changes, refresh, refreshHistory]);
  const changed = (): void => {
    refresh();
    refreshHistory();
    endpoints.refresh();
  };
  // An endpoint that is configured and not seen yet has no record.
  const error = pins.error?.code === 'not-found' && row !== null ? null : pins.error;
  return (
    <Page title={<Wire text={endpoint} />} lead={<Lead row={row} pins={pins.value} />}>
      <ErrorNotice error={error} />
      {pins.value === null ? null : <Candidates pins={pins.value} onChanged={changed} />}
      {row?.lastVerdict == null ? null : <Last last={row.lastVerdict} />}
      {pins.value === null ? null : <Keys pins={pins.value} onChanged={changed} />}
      <EndpointActions endpoint={endpoint} row={row} pins={pins.value} onChanged={changed} />
      <Why target={endpoint} turn={changes} />
      <Section title="History">
        <ErrorNotice error={history.error} />
        {history.value === null ? (
          <Empty>Asking letterlock…</Empty>
        ) : (
          <Timeline rows={history.value} size={15} withEndpoint={false} />
        )}
      </Section>
    </Page>
  );
}

function Lead({ row, pins }: { readonly row: EndpointRow | null; readonly pins: PinsRow | null }): VNode {
  const sign = row === null ? (pins === null ? null : states[pins.state]) : signOf(row);
  return (
    <>
      {sign === null ? null : (
        <>
          <Badge sign={sign} /> {sign.meaning}{' '}
        </>
      )}
      {row === null ? null : (
        <span class="quiet">
          {row.configured
            ? `Route ${row.routes.join(', ')}; trust: ${row.policy ?? 'unknown'}, first use: ${row.firstUse ?? 'unknown'}.`
            : 'Remembered, but not configured.'}
        </span>
      )}
    </>
  );
}

const askedBy: Readonly<Record<LastVerdict['by'], string>> = {
  session: 'a mail program connected',
  probe: 'a probe',
  warm: 'a connection kept ready',
};

function Last({ last }: { readonly last: LastVerdict }): VNode {
  const { now } = useDesk();
  const { certificate, chainNotAfter } = last;
  return (
    <Section title="Last seen">
      <p>
        <Badge sign={verdicts[last.verdict]} /> <When at={last.at} now={now} />, because {askedBy[last.by]}
        {last.reason === null ? '' : `: ${last.reason}`}.
      </p>
      {certificate === null ? null : (
        <dl class="facts-list">
          <div>
            <dt>Certificate</dt>
            <dd>
              <LifetimeBar dates={certificate} now={now} />
            </dd>
          </div>
          {chainNotAfter === null || chainNotAfter === certificate.notAfter ? null : (
            <div>
              <dt>Chain ends</dt>
              <dd>{dateText(chainNotAfter)}</dd>
            </div>
          )}
          <div>
            <dt>Subject</dt>
            <dd>
              <Wire text={certificate.subject} />
            </dd>
          </div>
          <div>
            <dt>Issuer</dt>
            <dd>
              <Wire text={certificate.issuer} />
            </dd>
          </div>
          <div>
            <dt>Names</dt>
            <dd>
              <Wire text={certificate.names.join(', ')} />
            </dd>
          </div>
          <div>
            <dt>SHA-256</dt>
            <dd>
              <Fingerprint
                value={certificate.sha256}
                locked={last.verdict !== 'ca' && last.verdict !== 'dane'}
              />
            </dd>
          </div>
        </dl>
      )}
    </Section>
  );
}
