// What every session of a proxy shares.

import type { Endpoint } from '../endpoint.ts';
import type { Lookups } from '../net/lookups.ts';
import type { OwnReads } from '../net/own-reads.ts';
import type { Suspicion } from '../net/suspicion.ts';
import type { Tofu } from '../tofu.ts';
import type { TlsaAnswer } from '../trust/dane.ts';
import type { Listener, ProxyEvent } from './events.ts';
import type { PeerTable } from './peer-table.ts';
import type { Timing } from './timing.ts';

export interface SessionTools {
  readonly tofu: Tofu;
  readonly on: Listener<ProxyEvent>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly timing: Timing;
  readonly suspicion: Suspicion;
  readonly peers: PeerTable;
  readonly reads: OwnReads;
  /** Looks up TLSA records; never rejects. Absent where no resolver is configured. */
  readonly findTlsa?: (endpoint: Endpoint) => Promise<TlsaAnswer>;
  readonly lookups: Lookups;
}
