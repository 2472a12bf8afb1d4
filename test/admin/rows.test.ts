import { describe, expect, test } from 'vitest';
import { isoDate, pinsRow } from '../../src/admin/rows.ts';
import type { RowContext } from '../../src/admin/rows.ts';
import type { StoredRecord } from '../../src/store/pin-store.ts';
import { emptyRecord } from '../../src/trust/record.ts';
import type { EndpointRecord, LastCa, Pin } from '../../src/trust/record.ts';

const name = 'imap.example.org:993';
const key = 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
const now = Date.UTC(2026, 10, 24);

const pin = (changes: Partial<Pin> = {}): Pin => ({
  spki: key,
  kind: 'leaf',
  origin: 'approved',
  firstSeen: now - 1000,
  lastSeen: null,
  until: null,
  endedAt: null,
  evidence: null,
  ...changes,
});
const lastCa: LastCa = { spki: key, sha256: 'AB', issuer: 'CN=CA', notAfter: now, seenAt: now, pem: 'PEM' };
const stored = (changes: Partial<EndpointRecord>, verified = true): StoredRecord => ({
  endpoint: name,
  revision: 1,
  record: { ...emptyRecord(name), ...changes },
  verified,
});
const context = (changes: Partial<RowContext> = {}): RowContext => ({
  now,
  store: 'good',
  sealed: { rejected: new Set(), until: new Map() },
  settings: null,
  reference: () => '7F3AK2QM',
  detail: 'list',
  ...changes,
});
const configured = (...configPins: string[]) =>
  ({ settings: { policy: 'auto', firstUse: 'accept', configPins } }) as const;
const pinned = (...pins: Pin[]) => stored({ basis: 'pinned', pins });

describe('state', () => {
  test.each<[string, StoredRecord | null, Partial<RowContext>, string]>([
    ['nothing ever written', null, {}, 'none'],
    ['a basis of ca', stored({ basis: 'ca' }), {}, 'ca'],
    ['CA-verified once, without a basis', stored({ lastCa }), {}, 'ca'],
    ['a live pin', pinned(pin()), {}, 'pinned'],
    ['a pin that ends later', pinned(pin({ until: now + 1 })), {}, 'pinned'],
    ['a pin whose end has come', pinned(pin({ until: now })), {}, 'emptied'],
    ['a pin ended by command', pinned(pin({ endedAt: now - 1 })), {}, 'emptied'],
    [
      'a pin rejected in the record',
      stored({ basis: 'pinned', pins: [pin()], rejected: [{ spki: key, at: now }] }),
      {},
      'emptied',
    ],
    [
      'a pin rejected in the seal only',
      pinned(pin()),
      { sealed: { rejected: new Set([key]), until: new Map() } },
      'emptied',
    ],
    [
      'a pin ended in the seal only',
      pinned(pin()),
      { sealed: { rejected: new Set(), until: new Map([[key, now]]) } },
      'emptied',
    ],
    [
      'a pin that ended although the record says later',
      pinned(pin({ until: now + 5 })),
      { sealed: { rejected: new Set(), until: new Map([[key, now]]) } },
      'emptied',
    ],
    ['a pin of the configuration', stored({ basis: 'ca' }), configured(key), 'pinned'],
    [
      'a pin of the configuration, rejected',
      stored({ rejected: [{ spki: key, at: now }] }),
      configured(key),
      'emptied',
    ],
    ['a record that does not verify', stored({ basis: 'pinned', pins: [pin()] }, false), {}, 'damaged'],
    ['no record in a damaged store', null, { store: 'damaged' }, 'damaged'],
    ['a sound record in a damaged store', pinned(pin()), { store: 'damaged' }, 'pinned'],
    [
      'a damaged store, but a pin of the configuration',
      null,
      { store: 'damaged', ...configured(key) },
      'pinned',
    ],
  ])('with %s', (_name, record, changes, state) => {
    expect(pinsRow(name, record, context(changes)).state).toBe(state);
  });
});

test('rejections of record and seal are shown together, each once', () => {
  const sealed = { rejected: new Set([key, 'sha256//other']), until: new Map() };
  const row = pinsRow(name, stored({ rejected: [{ spki: key, at: now }] }), context({ sealed }));
  expect(row.rejected).toEqual([key, 'sha256//other']);
});

test('pins of the configuration come first and have no dates', () => {
  const row = pinsRow(name, pinned(pin({ spki: 'sha256//other' })), context(configured(key)));
  expect(row.pins.map(({ spki, origin, firstSeen }) => [spki, origin, firstSeen])).toEqual([
    [key, 'config', null],
    ['sha256//other', 'approved', '2026-11-23T23:59:59.000Z'],
  ]);
});

test.each([
  [now, '2026-11-24T00:00:00.000Z'],
  [Number.MAX_SAFE_INTEGER, '+275760-09-13T00:00:00.000Z'],
  [Number.POSITIVE_INFINITY, '+275760-09-13T00:00:00.000Z'],
  [Number.NaN, '1970-01-01T00:00:00.000Z'],
])('the date of %d is %s', (milliseconds, text) => {
  expect(isoDate(milliseconds)).toBe(text);
});
