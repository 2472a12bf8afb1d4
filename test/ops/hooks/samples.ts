// One event for each class that events can have, and what is told of it: for the tests and for docs/hooks.md.

import type { HookClass, Severity } from '../../../src/ops/hooks/classes.ts';
import type { Payload } from '../../../src/ops/hooks/payload.ts';
import type { ProxyEvent } from '../../../src/proxy/events.ts';
import type { PinChangeEvent } from '../../../src/store/pin-store.ts';
import { ended, judged, probed, spki } from '../events.ts';

export interface Sample {
  readonly event: ProxyEvent;
  readonly class: HookClass;
  readonly severity: Severity;
  readonly message: string;
  readonly data: Partial<Payload['data']>;
}

const endpoint = 'imap.example.org:993';
const now = 1_790_000_000_000;
const day = 86_400_000;
const reference = '7F3AK2QM';

const pinChange = (event: PinChangeEvent, detail: string, origin: 'proxy' | 'cli' = 'proxy'): ProxyEvent => ({
  type: 'pin-changed',
  endpoint,
  event,
  origin,
  spki,
  detail,
});

const health = (state: 'good' | 'damaged' | 'unavailable', detail: string | null): ProxyEvent => ({
  type: 'store-health',
  health: { state, detail, backend: 'level', generation: 3, records: 2 },
});

const said =
  'letterlock refused imap.example.org: its key changed. Nothing was sent. Run: letterlock explain 7F3AK2QM';
const lost =
  'letterlock refused imap.example.org: its certificate was CA-verified before and is not now. Nothing was sent. Run: letterlock explain 7F3AK2QM';
const unreached =
  'letterlock could not reach imap.example.org: no connection could be made. Nothing was sent. Run: letterlock explain dial';

export const told: readonly Sample[] = [
  {
    event: pinChange('first-use', 'self-signed'),
    class: 'first-use',
    severity: 'warning',
    message: `FIRST USE: trusting the key of ${endpoint} from now on; compare its fingerprint`,
    data: { endpoint, change: 'first-use', origin: 'proxy', spki, reference },
  },
  {
    event: pinChange('candidate', 'pin-mismatch'),
    class: 'candidate',
    severity: 'critical',
    message: `${endpoint}: its key changed. It waits for a decision`,
    data: { endpoint, reason: 'pin-mismatch', spki, reference },
  },
  {
    event: pinChange('candidate', 'first-use-held'),
    class: 'candidate',
    severity: 'warning',
    message: `${endpoint}: its key is new and waits for approval. It waits for a decision`,
    data: { endpoint, reason: 'first-use-held' },
  },
  {
    event: ended({ outcome: 'refused', reason: 'pin-mismatch', basis: null, said, reference }),
    class: 'refused',
    severity: 'critical',
    message: said,
    data: { endpoint, route: 'imaps-1143', protocol: 'imap', reason: 'pin-mismatch', spki, reference },
  },
  {
    event: ended({ outcome: 'refused', reason: 'starttls-missing', basis: null, said: null, spki: null }),
    class: 'refused',
    severity: 'warning',
    message: `refused ${endpoint}: starttls-missing`,
    data: { endpoint, reason: 'starttls-missing', spki: null },
  },
  {
    event: ended({ outcome: 'refused', reason: 'ca-lost', basis: null, said: lost, reference }),
    class: 'ca-lost',
    severity: 'critical',
    message: lost,
    data: { endpoint, reason: 'ca-lost', spki, reference },
  },
  {
    event: pinChange('approved', 'by hand', 'cli'),
    class: 'pin-changed',
    severity: 'warning',
    message: `trust in ${endpoint} changed: approved`,
    data: { endpoint, change: 'approved', origin: 'cli', spki, detail: 'by hand' },
  },
  {
    event: {
      type: 'retiring-key-in-use',
      endpoint,
      spki,
      until: now + 3 * day,
      advice: `letterlock pins approve ${endpoint} --expect ${spki} --keep`,
    },
    class: 'retiring-key-in-use',
    severity: 'warning',
    message: `${endpoint} still uses a key that stops being trusted. letterlock pins approve ${endpoint} --expect ${spki} --keep`,
    data: { endpoint, spki, notAfter: '2026-09-24T14:13:20.000Z' },
  },
  {
    event: judged({ verdict: 'ca', notBefore: now - 80 * day, notAfter: now + 10 * day }),
    class: 'certificate-expiring',
    severity: 'warning',
    message: `the certificate of ${endpoint} ends in 10 days`,
    data: { endpoint, spki, notAfter: '2026-10-01T14:13:20.000Z' },
  },
  {
    event: judged({
      verdict: 'ca',
      notBefore: now - 80 * day,
      notAfter: now + 100 * day,
      pathNotAfter: now + 2 * day,
    }),
    class: 'certificate-expiring',
    severity: 'critical',
    message: `the certificate of ${endpoint} ends in 2 days`,
    data: { endpoint, spki, notAfter: '2026-09-23T14:13:20.000Z' },
  },
  {
    event: { type: 'certificate-renewed', endpoint, spki, sha256: 'AB:CD' },
    class: 'certificate-renewed',
    severity: 'info',
    message: `${endpoint} renewed its certificate on the same key`,
    data: { endpoint, spki },
  },
  {
    event: {
      type: 'corroborated',
      endpoint,
      spki,
      agreed: [],
      differing: ['143', 'socks5://127.0.0.1:9050'],
      unreached: [],
      seconds: 1,
    },
    class: 'corroboration-differs',
    severity: 'critical',
    message: `${endpoint} shows another key to 143, socks5://127.0.0.1:9050: its first use is held`,
    data: { endpoint, spki, reason: 'first-use-held', detail: '143, socks5://127.0.0.1:9050' },
  },
  {
    event: probed({
      result: 'refused',
      verdict: 'refused',
      reason: 'pin-mismatch',
      reference,
      faults: ['self-signed'],
    }),
    class: 'probe-refused',
    severity: 'critical',
    message: `probed ${endpoint}: a client would be refused (pin-mismatch). Run: letterlock explain ${reference}`,
    data: { endpoint, spki, reference, reason: 'pin-mismatch', faults: ['self-signed'] },
  },
  {
    event: probed({ verdict: 'ca', notBefore: now - 80 * day, notAfter: now + 10 * day }),
    class: 'certificate-expiring',
    severity: 'warning',
    message: `the certificate of ${endpoint} ends in 10 days`,
    data: { endpoint, spki, notAfter: '2026-10-01T14:13:20.000Z' },
  },
  {
    event: { type: 'session-revoked', session: 'T3S-1', endpoint, spki },
    class: 'session-revoked',
    severity: 'warning',
    message: `session with ${endpoint} reset: its key is no longer trusted`,
    data: { endpoint, spki },
  },
  {
    event: ended({ outcome: 'failed', reason: 'dial', basis: null, spki: null, said: unreached }),
    class: 'failed',
    severity: 'warning',
    message: unreached,
    data: { endpoint, reason: 'dial' },
  },
  {
    event: ended({ outcome: 'failed', reason: 'internal', basis: null, spki: null, said: null }),
    class: 'failed',
    severity: 'critical',
    message: `no session with ${endpoint}: internal`,
    data: { endpoint, reason: 'internal' },
  },
  {
    event: ended({ outcome: 'rejected', reason: 'peer-uid', basis: null, spki: null }),
    class: 'client-rejected',
    severity: 'info',
    message: 'closed a client of imaps-1143 without relaying: peer-uid',
    data: { route: 'imaps-1143', reason: 'peer-uid' },
  },
  {
    event: health('damaged', 'a record is missing'),
    class: 'store-damaged',
    severity: 'critical',
    message: 'the pin store is damaged: a record is missing',
    data: { reason: 'store-damaged', detail: 'a record is missing' },
  },
  {
    event: health('unavailable', 'ENOSPC'),
    class: 'store-unavailable',
    severity: 'critical',
    message: 'the pin store is unavailable: ENOSPC',
    data: { reason: 'store-unavailable', detail: 'ENOSPC' },
  },
  {
    event: health('good', null),
    class: 'store-recovered',
    severity: 'info',
    message: 'the pin store is good',
    data: {},
  },
  {
    event: { type: 'reloaded', ok: false, problems: 2 },
    class: 'reload-failed',
    severity: 'warning',
    message: 'the new configuration has problems; the old one stays in force',
    data: {},
  },
  {
    event: { type: 'reloaded', ok: true, problems: 0 },
    class: 'reloaded',
    severity: 'info',
    message: 'configuration reloaded',
    data: {},
  },
  {
    event: { type: 'warning', code: 'crl', message: 'office.crl is out of date' },
    class: 'warning',
    severity: 'warning',
    message: 'office.crl is out of date',
    data: { code: 'crl', detail: 'office.crl is out of date' },
  },
];
