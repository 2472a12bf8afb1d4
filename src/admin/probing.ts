// What the admin API needs of whoever probes servers in the background. A probe never pins, and is no first use.

import type { LastProbe, ProbeShape } from './live-shapes.ts';

export interface Probing {
  /** Probes a configured endpoint now; what happened is in the answer. @throws CommandError `not-found` for another one */
  probe(endpoint: string): Promise<ProbeShape>;
  /** How the last one went, whoever asked for it. */
  last(endpoint: string): LastProbe | null;
  /** When the next one is due, milliseconds since 1970; null where none is planned. */
  next(endpoint: string): number | null;
}
