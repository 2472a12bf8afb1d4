// What a daemon with a given number of servers would tell the page, made up: the shapes are those of the admin API,
// the content is chosen to be awkward (long names, marks that turn text round, each state at least once).

import { createHash } from 'node:crypto';
import type { EndpointRow, FeedEntry, SessionRow } from '../../src/admin/live-shapes.ts';
import type { ComparisonShape, HistoryRow, PinsRow, StatusShape } from '../../src/admin/shapes.ts';
import type { CertificateDescription } from '../../src/trust/certificate.ts';
import type { Situation } from '../../src/trust/command.ts';
import type { KeyEvidence } from '../../src/trust/record.ts';
import { candidateOf, keyEvidence, pinOf, recordOf, settingsOf } from '../trust/evidence.ts';

export interface PageWorld {
  readonly status: StatusShape;
  readonly endpoints: readonly EndpointRow[];
  readonly sessions: readonly SessionRow[];
  readonly pins: (endpoint: string) => PinsRow | null;
  readonly history: readonly HistoryRow[];
  readonly comparison: ComparisonShape;
  readonly entries: readonly FeedEntry[];
}

const dayMs = 86_400_000;
const minuteMs = 60_000;

export const spkiNamed = (name: string): string =>
  `sha256//${createHash('sha256').update(name).digest('base64')}`;
export const sha256Named = (name: string): string =>
  createHash('sha256')
    .update(`certificate ${name}`)
    .digest('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$&:');

/** The endpoint whose key changed, and the reference of the new key. */
export const changed = { endpoint: 'imap.example.org:993', ref: 'K7Q2M9XC' } as const;

interface Kind {
  readonly host: string;
  readonly port: number;
  readonly state: EndpointRow['state'];
  readonly policy: EndpointRow['policy'];
  readonly verdict: NonNullable<EndpointRow['lastVerdict']>['verdict'] | null;
  readonly issuer: string;
  /** Days before and after now. */
  readonly age: number;
  readonly left: number;
}

const kinds: readonly Kind[] = [
  {
    host: 'imap.example.org',
    port: 993,
    state: 'pinned',
    policy: 'tofu',
    verdict: 'refused',
    issuer: 'CN=imap.example.org',
    age: 2,
    left: 363,
  },
  {
    host: 'mail.posteo.example',
    port: 993,
    state: 'ca',
    policy: 'auto',
    verdict: 'ca',
    issuer: "C=US, O=Let's Encrypt, CN=R11",
    age: 31,
    left: 59,
  },
  {
    host: 'smtp.posteo.example',
    port: 465,
    state: 'ca',
    policy: 'auto',
    verdict: 'ca',
    issuer: "C=US, O=Let's Encrypt, CN=E6",
    age: 82,
    left: 8,
  },
  {
    host: 'mail.attic.example',
    port: 993,
    state: 'pinned',
    policy: 'auto',
    verdict: 'pin',
    issuer: 'CN=mail.attic.example',
    age: 900,
    left: 2700,
  },
  {
    host: 'nas.lan',
    port: 993,
    state: 'pinned',
    policy: 'tofu',
    verdict: 'first-use',
    issuer: 'O=Synology Inc., CN=nas.lan',
    age: 1,
    left: 396,
  },
  {
    host: 'mx.danish.example',
    port: 465,
    state: 'none',
    policy: 'dane',
    verdict: 'dane',
    issuer: 'CN=mx.danish.example',
    age: 40,
    left: 320,
  },
  {
    host: 'pop.harbour.example',
    port: 995,
    state: 'ca',
    policy: 'ca',
    verdict: 'ca',
    issuer: 'C=BE, O=GlobalSign nv-sa, CN=GlobalSign RSA OV SSL CA 2018',
    age: 200,
    left: 190,
  },
  {
    host: 'sieve.attic.example',
    port: 4190,
    state: 'none',
    policy: 'auto',
    verdict: null,
    issuer: '',
    age: 0,
    left: 0,
  },
  {
    host: 'a-rather-long-name-of-a-mail-server.department.university.example',
    port: 993,
    state: 'pinned',
    policy: 'ca+tofu',
    verdict: 'pin',
    issuer: 'C=DE, O=\u202eytisrevinU, CN=Campus CA\u200b',
    age: 100,
    left: 265,
  },
];

const leafOf = (
  kind: Kind,
  now: number,
): NonNullable<NonNullable<EndpointRow['lastVerdict']>['certificate']> => ({
  subject: `CN=${kind.host}`,
  issuer: kind.issuer,
  names: [kind.host, `autodiscover.${kind.host}`],
  notBefore: new Date(now - kind.age * dayMs).toISOString(),
  notAfter: new Date(now + kind.left * dayMs).toISOString(),
  sha256: sha256Named(kind.host),
});

function rowOf(kind: Kind, now: number): EndpointRow {
  const at = new Date(now - 3 * minuteMs).toISOString();
  const refused = kind.verdict === 'refused';
  return {
    endpoint: `${kind.host}:${kind.port}`,
    configured: true,
    routes: [`${kind.host.split('.')[0] ?? ''}-${kind.port}`],
    policy: kind.policy,
    firstUse: 'accept',
    state: kind.state,
    candidates: refused ? 1 : 0,
    refusing: refused,
    lastVerdict:
      kind.verdict === null
        ? null
        : {
            at,
            verdict: kind.verdict,
            reason: refused ? 'pin-mismatch' : null,
            by: 'session',
            spki: spkiNamed(kind.host),
            faults: refused ? ['self-signed'] : [],
            certificate: leafOf(kind, now),
            chainNotAfter: kind.state === 'ca' ? new Date(now + kind.left * dayMs).toISOString() : null,
          },
    lastProbe:
      kind.verdict === null
        ? null
        : {
            at: new Date(now - 50 * minuteMs).toISOString(),
            result: refused ? 'refused' : 'accepted',
            reason: refused ? 'pin-mismatch' : null,
            seconds: 0.084,
          },
    nextProbe: new Date(now + 310 * minuteMs).toISOString(),
  };
}

/** `count` servers: the first ones each of another kind, the rest ordinary. */
function kindsFor(count: number): readonly Kind[] {
  const more = Array.from({ length: Math.max(0, count - kinds.length) }, (_, at): Kind => {
    const base = kinds[1 + (at % 3)] ?? kinds[1];
    if (base === undefined) throw new RangeError('no kinds');
    return { ...base, host: `mail${at + 1}.customer${at % 17}.example`, left: 20 + ((at * 7) % 60) };
  });
  return [...kinds, ...more].slice(0, count);
}

const seen = (
  name: string,
  now: number,
  days: number,
): NonNullable<PinsRow['pins'][number]['certificate']> => ({
  sha256: sha256Named(name),
  subject: `CN=${name}`,
  issuer: `CN=${name}`,
  names: [name],
  notBefore: new Date(now - days * dayMs).toISOString(),
  notAfter: new Date(now + (365 - days) * dayMs).toISOString(),
  seenAt: new Date(now - 4 * minuteMs).toISOString(),
  caValid: false,
  faults: ['self-signed'],
});

function pinsOf(row: EndpointRow, now: number): PinsRow {
  const name = row.endpoint.split(':')[0] ?? '';
  const pinned = row.state === 'pinned';
  const refused = row.candidates > 0;
  const ago = (days: number): string => new Date(now - days * dayMs).toISOString();
  return {
    endpoint: row.endpoint,
    state: row.state,
    basis: pinned ? 'pinned' : row.state === 'ca' ? 'ca' : 'none',
    lastCa:
      row.state === 'ca'
        ? {
            spki: spkiNamed(name),
            sha256: sha256Named(name),
            issuer: row.lastVerdict?.certificate?.issuer ?? '',
            notAfter: row.lastVerdict?.certificate?.notAfter ?? '',
            seenAt: ago(0),
          }
        : null,
    pins: pinned
      ? [
          {
            spki: spkiNamed(refused ? 'known' : name),
            kind: 'leaf',
            origin: row.lastVerdict?.verdict === 'first-use' ? 'first-use' : 'approved',
            firstSeen: ago(400),
            lastSeen: ago(0.2),
            until: null,
            live: true,
            certificate: seen(name, now, 200),
          },
          {
            spki: spkiNamed('older'),
            kind: 'leaf',
            origin: 'first-use',
            firstSeen: ago(800),
            lastSeen: ago(410),
            until: ago(393),
            live: false,
            certificate: null,
          },
        ]
      : [],
    candidates: refused
      ? [
          {
            ref: changed.ref,
            spki: spkiNamed('presented'),
            seenCount: 14,
            firstSeen: ago(0.1),
            lastSeen: ago(0.002),
            caValid: false,
            faults: ['self-signed'],
            reason: 'pin-mismatch',
            certificate: seen(name, now, 2),
          },
        ]
      : [],
    rejected: pinned ? [spkiNamed('stolen')] : [],
    expected: [],
  };
}

function certificate(
  spki: string,
  options: { readonly from: number; readonly to: number; readonly serial: string; readonly key: string },
): CertificateDescription {
  return {
    spki,
    sha256: sha256Named(spki),
    subject: 'CN=imap.example.org',
    issuer: 'CN=imap.example.org',
    serial: options.serial,
    version: 3,
    names: [{ type: 'dns', value: 'imap.example.org' }],
    notBefore: new Date(options.from).toISOString(),
    notAfter: new Date(options.to).toISOString(),
    key: options.key,
    signature: 'ecdsa-with-SHA256',
    keyUsage: [],
    extendedKeyUsage: ['serverAuth'],
    ca: false,
    faults: ['self-signed'],
    pem: '',
  };
}

function comparisonAt(now: number): ComparisonShape {
  const known = certificate(spkiNamed('known'), {
    from: now - 340 * dayMs,
    to: now + 25 * dayMs,
    serial: '4F2A91',
    key: 'EC P-256',
  });
  const presented = certificate(spkiNamed('presented'), {
    from: now - 2 * dayMs,
    to: now + 363 * dayMs,
    serial: '77C01E',
    key: 'EC P-256',
  });
  const fields = [
    'key',
    'keyType',
    'subject',
    'issuer',
    'names',
    'notBefore',
    'notAfter',
    'serial',
    'signature',
    'selfSigned',
  ] as const;
  const valueOf = (of: CertificateDescription, field: (typeof fields)[number]): string | null => {
    if (field === 'key') return of.spki;
    if (field === 'keyType') return of.key;
    if (field === 'names') return of.names.map(({ value }) => value).join(', ');
    return field === 'selfSigned' ? 'yes' : of[field];
  };
  return {
    endpoint: changed.endpoint,
    ref: changed.ref,
    state: 'pinned',
    sentence:
      'The key changed; subject, issuer and names stayed: a renewal that made a new key looks like this, and so does an impostor who copied the names.',
    notes: [
      `The known certificate is good until ${new Date(now + 25 * dayMs).toISOString().slice(0, 10)}: it was replaced before its end.`,
    ],
    proof: `Nothing in a certificate proves whose key it is. What does: the operator of ${changed.endpoint}, asked by another way than this connection, names the same fingerprint: of the key ${spkiNamed('presented')}, or of the certificate ${presented.sha256}.`,
    known: { spki: spkiNamed('known'), basis: 'pinned', sha256: known.sha256, certificate: known, pem: null },
    presented: {
      spki: spkiNamed('presented'),
      basis: 'candidate',
      sha256: presented.sha256,
      certificate: presented,
      pem: null,
    },
    differences: fields.map((field) => {
      const [one, other] = [valueOf(known, field), valueOf(presented, field)];
      return { field, known: one, presented: other, same: one === other };
    }),
    faults: [
      {
        code: 'self-signed',
        meaning: 'The certificate is signed by its own key.',
        advice:
          'That is usual for private servers: compare the fingerprint and pin the key. A server that had a certificate of a CA before should not have one.',
      },
    ],
    corroboration: {
      spki: spkiNamed('presented'),
      agreed: ['port 143', 'port 995'],
      differing: [],
      unreached: ['address 192.0.2.7'],
    },
    reason: 'pin-mismatch',
    caValid: false,
    firstSeen: new Date(now - 0.1 * dayMs).toISOString(),
    lastSeen: new Date(now - 2 * minuteMs).toISOString(),
    seenCount: 14,
  };
}

const changes = [
  'first-use',
  'ca-verified',
  'approved',
  'retired',
  'candidate',
  'rejected',
  'undone',
  'added',
] as const;
const details = {
  'first-use': 'nobody compared it yet',
  'ca-verified': 'basis is ca from now on',
  approved: 'without an end',
  retired: 'until 2026-12-07 14:05 UTC',
  candidate: 'refused as pin-mismatch',
  rejected: 'by an operator',
  undone: 'approve was undone',
  added: 'in advance',
} as const;

function historyOf(rows: readonly EndpointRow[], count: number, now: number): readonly HistoryRow[] {
  if (rows.length === 0) return [];
  return Array.from({ length: count }, (_, at): HistoryRow => {
    const event = changes[at % changes.length] ?? 'added';
    return {
      sequence: at + 1,
      at: new Date(now - (count - at) * 37 * minuteMs).toISOString(),
      endpoint: rows[Math.floor(at / changes.length) % rows.length]?.endpoint ?? '',
      event,
      origin: event === 'approved' || event === 'rejected' ? 'admin' : 'proxy',
      spki: spkiNamed(`key ${at}`),
      detail: details[event],
      hash: sha256Named(String(at)),
    };
  });
}

const told: readonly (readonly [FeedEntry['level'], string, string])[] = [
  ['info', 'session-ended', 'relayed mail.posteo.example:993 (verified by a CA)'],
  ['debug', 'session-started', 'client on mail-993'],
  [
    'warn',
    'session-ended',
    'letterlock refused imap.example.org: its key changed. Run: letterlock explain K7Q2M9XC (pin-mismatch)',
  ],
  ['info', 'certificate-renewed', 'smtp.posteo.example:465 renewed its certificate on the same key'],
  ['warn', 'pin-changed', 'FIRST USE: trusting the key of nas.lan:993 from now on; compare its fingerprint'],
  ['error', 'store-operation', 'the pin store could not be written'],
];

function entriesAt(count: number, now: number): readonly FeedEntry[] {
  return Array.from({ length: count }, (_, at): FeedEntry => {
    const [level, event, message] = told[at % told.length] ?? ['info', 'warning', ''];
    return {
      id: now - 100_000 + at,
      at: new Date(now - (count - at) * 1500).toISOString(),
      level,
      event,
      message,
      fields: {
        endpoint:
          kinds[at % kinds.length] === undefined
            ? ''
            : `${kinds[at % kinds.length]?.host}:${kinds[at % kinds.length]?.port}`,
        seconds: 0.0831,
        reason: null,
      },
    };
  });
}

function sessionsOf(rows: readonly EndpointRow[], now: number): readonly SessionRow[] {
  return rows
    .filter(({ refusing, lastVerdict }) => !refusing && lastVerdict !== null)
    .slice(0, 7)
    .map((row, at) => {
      const verdict = row.lastVerdict?.verdict ?? 'refused';
      return {
        id: String(1200 + at * 7),
        route: row.routes[0] ?? '',
        protocol: 'imap',
        client: at % 3 === 2 ? 'uid 1000' : `127.0.0.1:${50_312 + at}`,
        clientTls: at % 2 === 0 ? null : 'TLSv1.3',
        endpoint: row.endpoint,
        server: `192.0.2.${at + 1}:993`,
        stage: at === 0 ? 'asking' : 'relaying',
        basis: at === 0 || verdict === 'refused' ? null : verdict,
        spki: spkiNamed(row.endpoint),
        startedAt: new Date(now - at * 7 * minuteMs).toISOString(),
        bytesUp: 4000 + at * 900,
        bytesDown: 120_000 * (at + 1),
      };
    });
}

/** `store`: what the daemon says of its pin store. */
export function pageWorld(options: {
  readonly endpoints: number;
  readonly history: number;
  readonly now: number;
  readonly store?: 'good' | 'damaged';
}): PageWorld {
  const { now, store = 'good' } = options;
  const endpoints = kindsFor(options.endpoints).map((kind) => rowOf(kind, now));
  const status: StatusShape = {
    version: '0.1.0',
    pid: 4711,
    user: 'letterlock',
    startedAt: new Date(now - 3 * dayMs).toISOString(),
    stateDirectory: '/var/lib/letterlock',
    metrics: '127.0.0.1:9465',
    routes: endpoints.slice(0, 12).map((row, at) => ({
      name: row.routes[0] ?? '',
      listen: `127.0.0.1:${1143 + at}, [::1]:${1143 + at}`,
      upstream: `imaps://${row.endpoint}`,
      endpoint: row.endpoint,
      protocol: 'imap',
      sessions: row.refusing || at > 6 ? 0 : 1,
      state: row.refusing ? 'refusing' : 'ready',
    })),
    store: {
      state: store,
      detail: store === 'good' ? null : '2 records do not verify',
      backend: 'level',
      generation: 128,
      records: endpoints.length,
    },
  };
  return {
    status,
    endpoints,
    sessions: sessionsOf(endpoints, now),
    pins: (name) => {
      const row = endpoints.find(({ endpoint }) => endpoint === name);
      return row === undefined || row.state === 'none' ? null : pinsOf(row, now);
    },
    history: historyOf(endpoints, options.history, now),
    comparison: comparisonAt(now),
    entries: endpoints.length === 0 ? [] : entriesAt(60, now),
  };
}

/** What a daemon would know of the server of a comparison: one pin from long ago, and the key that waits. */
export function changedSituation({ known, presented, lastSeen }: ComparisonShape): Situation {
  const now = Date.parse(lastSeen);
  const evidence = evidenceFrom(presented.certificate, now);
  return {
    endpoint: changed.endpoint,
    record: {
      ...recordOf({
        basis: 'pinned',
        pins: [
          {
            ...pinOf('known', { firstSeen: now - 400 * dayMs, lastSeen: now - dayMs, origin: 'approved' }),
            spki: known?.spki ?? '',
            evidence: evidenceFrom(known?.certificate ?? null, now - dayMs),
          },
        ],
        candidates: [
          { ...candidateOf('presented'), spki: presented.spki, firstSeen: now, lastSeen: now, evidence },
        ],
      }),
      endpoint: changed.endpoint,
    },
    settings: settingsOf({ policy: 'tofu' }),
    sealed: { rejected: new Set(), until: new Map() },
    now,
    origin: 'cli',
  };
}

const evidenceFrom = (shown: CertificateDescription | null, seenAt: number): KeyEvidence =>
  keyEvidence({
    seenAt,
    ...(shown?.notBefore == null || shown.notAfter === null
      ? {}
      : {
          sha256: shown.sha256,
          subject: shown.subject,
          issuer: shown.issuer,
          names: shown.names.map(({ value }) => value),
          notBefore: Date.parse(shown.notBefore),
          notAfter: Date.parse(shown.notAfter),
        }),
  });
