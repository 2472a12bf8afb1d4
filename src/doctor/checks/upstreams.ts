// Does a connection to the servers come about? TCP only: whose key it is, is asked by sessions, probes and inspect.

import { finding, type Finding } from '../finding.ts';

export interface ServerFacts {
  /** Canonical `host:port`. */
  readonly endpoint: string;
  readonly route: string;
  /** `192.0.2.1:993` reached, or why none was. */
  readonly result:
    | {
        readonly state: 'reached';
        readonly address: string;
        readonly ms: number;
        readonly via: string | null;
      }
    | { readonly state: 'unreached'; readonly code: string; readonly detail: string };
  /** Another server of its route was reached. */
  readonly standIn: string | null;
}

export type UpstreamFacts =
  { readonly state: 'offline' } | { readonly state: 'asked'; readonly servers: readonly ServerFacts[] };

export function checkUpstreams(facts: UpstreamFacts): readonly Finding[] {
  if (facts.state === 'offline')
    return [finding('upstreams', 'note', { message: 'not dialled (--offline)' })];
  return facts.servers.map(serverFinding);
}

function serverFinding({ endpoint, route, result, standIn }: ServerFacts): Finding {
  if (result.state === 'reached') {
    const way = result.via === null ? `at ${result.address}` : `by way of ${result.via}`;
    return finding('upstreams', 'ok', { message: `${endpoint} answers ${way} (${result.ms} ms)` });
  }
  const message = `${endpoint} cannot be reached (${result.code}: ${result.detail})`;
  if (standIn !== null)
    return finding('upstreams', 'warning', {
      message,
      meaning: `Clients of ${route} get ${standIn} instead.`,
    });
  return finding('upstreams', 'fault', {
    message,
    meaning: `Clients of ${route} are told so; nothing is lost, mail programs try again.`,
    advice: `Look at network and firewall; letterlock explain ${result.code} says more.`,
  });
}
