// Events as the proxy gives them, one of each kind, for the tests of log and metrics.

import type { ProxyEvent } from '../../src/proxy/events.ts';
import type { Route } from '../../src/proxy/route.ts';
import { plainRoute } from '../proxy/route.ts';
import { parseEndpoint } from '../../src/endpoint.ts';

export const spki = 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

type Ended = Extract<ProxyEvent, { readonly type: 'session-ended' }>;

/** Outcome and reason belong together: the caller sees to it. */
export const ended = (facts: object = {}): ProxyEvent => {
  const event = {
    type: 'session-ended',
    session: 1,
    route: 'imaps-1143',
    protocol: 'imap',
    endpoint: 'imap.example.org:993',
    clientTls: null,
    outcome: 'relayed',
    reason: null,
    basis: 'pin',
    spki,
    reference: null,
    said: null,
    detail: null,
    bytesUp: 10,
    bytesDown: 20,
    seconds: 1.5,
    ...facts,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return event as Ended;
};

export const started = (session: number, route = 'imaps-1143'): ProxyEvent => ({
  type: 'session-started',
  session,
  route,
  protocol: 'imap',
  endpoint: 'imap.example.org:993',
});

export const judged = (
  facts: Partial<Extract<ProxyEvent, { readonly type: 'judged' }>> = {},
): ProxyEvent => ({
  type: 'judged',
  endpoint: 'imap.example.org:993',
  verdict: 'pin',
  reason: null,
  spki,
  faults: [],
  notBefore: 1_700_000_000_000,
  notAfter: 1_800_000_000_000,
  pathNotAfter: null,
  by: 'session',
  leaf: null,
  ...facts,
});

export const route = (name = 'imaps-1143', endpoint = 'imap.example.org:993'): Route => ({
  ...plainRoute,
  name,
  endpoint: parseEndpoint(endpoint),
  upstream: `imaps://${endpoint}`,
});

/** Result, verdict and reason belong together: the caller sees to it. */
export const probed = (facts: object = {}): ProxyEvent => {
  const event = {
    type: 'probed',
    endpoint: 'imap.example.org:993',
    result: 'accepted',
    verdict: 'pin',
    reason: null,
    spki,
    faults: [],
    reference: null,
    detail: null,
    notBefore: 1_700_000_000_000,
    notAfter: 1_800_000_000_000,
    pathNotAfter: null,
    seconds: 0.2,
    ...facts,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return event as Extract<ProxyEvent, { readonly type: 'probed' }>;
};

/** One of every kind. */
export const everyEvent: readonly ProxyEvent[] = [
  judged(),
  {
    type: 'pin-changed',
    endpoint: 'imap.example.org:993',
    event: 'approved',
    origin: 'cli',
    spki,
    detail: 'by hand',
  },
  { type: 'certificate-renewed', endpoint: 'imap.example.org:993', spki, sha256: 'AB:CD' },
  {
    type: 'retiring-key-in-use',
    endpoint: 'imap.example.org:993',
    spki,
    until: 1_800_000_000_000,
    advice: 'approve it',
  },
  { type: 'key-untrusted', endpoint: 'imap.example.org:993', spki },
  { type: 'store-operation', seconds: 0.001, ok: true },
  {
    type: 'store-health',
    health: { state: 'damaged', detail: 'a record is missing', backend: 'memory', generation: 3, records: 2 },
  },
  {
    type: 'listening',
    route: 'imaps-1143',
    address: '127.0.0.1:1143',
    upstream: 'imaps://imap.example.org:993',
  },
  { type: 'listen-skipped', route: 'imaps-1143', address: '[::1]:1143', cause: 'EADDRNOTAVAIL' },
  started(1),
  { type: 'dialled', endpoint: 'imap.example.org:993', result: 'connected', seconds: 0.02 },
  { type: 'tlsa-looked-up', endpoint: 'imap.example.org:993', result: 'records', seconds: 0.01 },
  { type: 'handshaken', endpoint: 'imap.example.org:993', version: 'TLSv1.3', seconds: 0.03 },
  { type: 'greeted', route: 'imaps-1143', seconds: 0.05 },
  { type: 'carried', route: 'imaps-1143', bytesUp: 10, bytesDown: 20 },
  { type: 'session-revoked', session: 1, endpoint: 'imap.example.org:993', spki },
  ended(),
  probed(),
  { type: 'reloaded', ok: true, problems: 0 },
  { type: 'hook-delivered', hook: 'desktop', result: 'failed', attempts: 1, detail: 'exit 1' },
  { type: 'warning', code: 'no-bundle', message: 'no system bundle' },
];
