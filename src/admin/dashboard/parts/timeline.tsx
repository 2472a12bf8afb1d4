// Changes of trust, the newest first: who, what, which key.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import type { HistoryRow } from '../wire.ts';
import { dateText } from '../words/format.ts';
import { addressOf } from '../words/route.ts';
import { changeSign } from '../words/signs.ts';
import { Pages } from './pager.tsx';
import { Badge, Empty, Fingerprint, When, Wire } from './words.tsx';

interface TimelineProps {
  /** Oldest first, as the daemon tells them. */
  readonly rows: readonly HistoryRow[];
  readonly size: number;
  readonly withEndpoint: boolean;
}

const origins: Readonly<Record<string, string>> = {
  proxy: 'by letterlock itself',
  cli: 'by command line',
  admin: 'by page or admin API',
  config: 'by configuration',
  library: 'by a program',
};

/** Changes somebody made who named the key. Of any other the key may be read, and not be copied into the field that compares. */
const compared: ReadonlySet<string> = new Set(['approved', 'added', 'imported', 'config-pinned']);

export function Timeline({ rows, size, withEndpoint }: TimelineProps): VNode {
  if (rows.length === 0) return <Empty>Nothing has changed yet.</Empty>;
  return (
    <Pages rows={rows.toReversed()} size={size} what="changes">
      {(shown) => (
        <ol class="timeline">
          {shown.map((row) => (
            <Change row={row} withEndpoint={withEndpoint} key={row.sequence} />
          ))}
        </ol>
      )}
    </Pages>
  );
}

function Change({ row, withEndpoint }: { readonly row: HistoryRow; readonly withEndpoint: boolean }): VNode {
  const { now } = useDesk();
  const sign = changeSign(row.event);
  return (
    <li class={`change tone-${sign.tone}`}>
      <div class="change-head">
        <Badge sign={sign} />
        {withEndpoint ? (
          <a href={addressOf({ view: 'endpoint', endpoint: row.endpoint })}>
            <Wire text={row.endpoint} />
          </a>
        ) : null}
        <span class="quiet">
          <When at={row.at} now={now} />, {dateText(row.at)}
        </span>
      </div>
      <p>
        <Wire text={row.detail} />
        <span class="quiet">, {origins[row.origin] ?? row.origin}</span>
      </p>
      {row.spki === null ? null : <Fingerprint value={row.spki} locked={!compared.has(row.event)} />}
    </li>
  );
}
