// One handshake to look at a server: everything it shows, everything wrong with it, and what each policy would say. A
// bad certificate is a result here and no error. Nothing is learnt and nothing of the program's is sent.

import type { Tofu as Engine } from '../tofu.ts';
import type { CertificateDescription } from '../trust/certificate.ts';
import type { Evidence, Peer, Policy, Verdict } from '../trust/evidence.ts';
import type { Fault } from '../trust/fault.ts';
import { judge } from '../trust/policy.ts';
import type { Aid } from './aids.ts';
import { reachServer, type Approach } from './connect.ts';
import type { Terms } from './settings.ts';

export interface Inspection {
  /** Canonical `host:port`. */
  readonly endpoint: string;
  readonly tls: { readonly version: string; readonly cipher: string };
  /** As sent, the server's own first; at most 16. Empty where none could be read. */
  readonly chain: readonly CertificateDescription[];
  readonly caValid: boolean;
  readonly faults: readonly Fault[];
  /** What each policy would say now; `verdict` is that of the settings in force. */
  readonly verdicts: Readonly<Record<Policy, Verdict>>;
  readonly verdict: Verdict;
}

/** Throws TrustError or Failure where no handshake came about. */
export async function inspectServer(
  approach: Approach,
  { terms, aid, engine }: { readonly terms: Terms; readonly aid: Aid; readonly engine: Engine },
): Promise<Inspection> {
  const { socket, peer } = await reachServer(approach, terms);
  socket.destroy();
  const { endpoint } = approach.target;
  const evidence = engine.look({ endpoint, settings: terms.settings, peer, ...aid });
  return inspectionOf(evidence, peer);
}

function inspectionOf(evidence: Evidence, { tls }: Peer): Inspection {
  const of = (policy: Policy): Verdict => judge({ ...evidence, settings: { ...evidence.settings, policy } });
  return {
    endpoint: evidence.endpoint,
    tls: { version: tls.version, cipher: tls.cipher },
    chain: evidence.examined?.chain ?? [],
    caValid: evidence.examined?.caValid ?? false,
    faults: evidence.examined?.faults ?? [],
    verdicts: {
      auto: of('auto'),
      ca: of('ca'),
      tofu: of('tofu'),
      'ca+tofu': of('ca+tofu'),
      pinned: of('pinned'),
      dane: of('dane'),
    },
    verdict: judge(evidence),
  };
}
