// The plainest route there is, for tests to begin with.

import { endpointOf } from '../../src/endpoint.ts';
import type { Limits, Route } from '../../src/proxy/route.ts';

export const testLimits: Limits = {
  connections: 100,
  dialSeconds: 5,
  handshakeSeconds: 5,
  greetingSeconds: 5,
  idleMinutes: 5,
  preTlsBytes: 65_536,
  lineBytes: 8_192,
};

/** IMAP from any port of 127.0.0.1 in clear to 127.0.0.1:993 over TLS, trusted by policy tofu. */
export const plainRoute: Route = {
  name: 'imap-test',
  listen: [{ kind: 'tcp', host: '127.0.0.1', port: 0 }],
  unsafeListen: false,
  allowUsers: null,
  clientTls: { mode: 'off', minVersion: 'TLSv1.2', files: null },
  endpoint: endpointOf('127.0.0.1', 993),
  upstream: 'imaps://127.0.0.1',
  others: [],
  protocol: 'imap',
  upstreamTls: 'implicit',
  addresses: [],
  anchors: [],
  trust: { policy: 'tofu', firstUse: 'accept', configPins: [] },
  via: null,
  clientCertificate: null,
  minVersion: 'TLSv1.2',
  legacyServer: false,
  warm: 0,
  watchMs: null,
  refusal: 'greeting',
  refusalCode: 421,
  limits: testLimits,
};
