// What lies in the database (src/store/codec.ts, unread-row.ts, head.ts, audit.ts, touches.ts), damaged in any way: it is read as it was
// written, whole, or it is refused; never half, never under another key, never with one field changed.

import { demand, demandSame, onlyThrows } from './engine/broken.mjs';

const spki = (octet) => `sha256//${Buffer.alloc(32, octet).toString('base64')}`;
const store = 'ab'.repeat(16);
const digest = 'cd'.repeat(32);

export const target = {
  name: 'records',
  files: [
    'src/store/codec',
    'src/store/unread-row',
    'src/store/head',
    'src/store/audit',
    'src/store/touches',
  ],
  dictionary: [
    '"record":null',
    '"revision":4',
    '"generation":',
    '"endpoint":"b.example:993"',
    '"epoch":0',
    '"pins":[]',
    '"rejected":[]',
    '}}',
    ',',
    '\n',
    '"__proto__":',
    '"format":2',
    '"format":1',
    '0',
    '1',
  ],
  longest: 5000,
  prepare: async (from) => {
    const { decodeRow, encodeRow } = await from('src/store/codec');
    const { hasRecord, storedOf } = await from('src/store/unread-row');
    const { decodeHead, encodeHead } = await from('src/store/head');
    const { chain, chainStart, entryOf, follows, parseAuditRow } = await from('src/store/audit');
    const { decodeSightings } = await from('src/store/touches');
    const { keys } = await from('src/store/database');
    const { emptyRecord } = await from('src/trust/record');
    const pin = {
      spki: spki(1),
      kind: 'leaf',
      origin: 'first-use',
      firstSeen: 1,
      lastSeen: null,
      until: 9,
      endedAt: null,
      evidence: null,
    };
    const recordOf = (endpoint, part) => ({
      ...emptyRecord(endpoint),
      basis: 'pinned',
      epoch: 2,
      pins: [pin],
      rejected: [{ spki: spki(2), at: 5 }],
      ...part,
    });
    const rows = [
      { endpoint: 'a.example:993', revision: 3, generation: 7, record: recordOf('a.example:993') },
      { endpoint: 'b.example:993', revision: 1, generation: 2, record: null },
      {
        endpoint: '[2001:db8::1]:993',
        revision: 12,
        generation: 12,
        record: recordOf('[2001:db8::1]:993', { epoch: 0, pins: [], rejected: [] }),
      },
    ];
    const written = rows.map((row) => [row, encodeRow(keys.record(row.endpoint), row)]);
    const head = {
      format: 1,
      store,
      generation: 7,
      count: 3,
      digest,
      previous: digest,
      held: ['a.example:993'],
      audit: { sequence: 2, hash: digest },
    };
    const headText = encodeHead(head);
    const entries = ['first-use', 'rejected', 'forgotten'].map((event, at) => ({
      at: 10 + at,
      endpoint: 'a.example:993',
      event,
      origin: 'proxy',
      spki: spki(at),
      detail: `detail ${at}`,
    }));
    const audit = chain(chainStart, entries, 4);
    const befores = [chainStart, ...audit.slice(0, -1).map(({ sequence, hash }) => ({ sequence, hash }))];
    const checkRow = (text) => {
      for (const [row, whole] of written) {
        const read = decodeRow(keys.record(row.endpoint), row.endpoint, text);
        if (read === null) {
          demand(text !== whole, 'what was written is read', row.endpoint);
          continue;
        }
        demand(text === whole, 'a damaged record is refused', text.slice(0, 200));
        demand(hasRecord(read) === (row.record !== null), 'a record is there or not');
        const { endpoint, revision, record, verified } = storedOf(read);
        demandSame(
          { endpoint, revision, record, verified },
          { endpoint: row.endpoint, revision: row.revision, record: row.record, verified: true },
          'a record is read as it was written',
        );
      }
    };
    const checkHead = (text) => {
      const read = onlyThrows(['StoreError'], () => decodeHead(text)) ?? null;
      demand((read === null) === (text !== headText), 'a damaged head is refused', text.slice(0, 200));
      if (read !== null) demandSame(read, head, 'a head is read as it was written');
    };
    const checkAudit = (text) => {
      const row = parseAuditRow(text);
      if (row === null) return;
      for (const [at, before] of befores.entries())
        if (follows(before, row))
          demandSame(entryOf(row), entryOf(audit[at]), 'an entry that follows is the one that was written');
    };
    const run = (bytes) => {
      const text = bytes.toString('utf8');
      checkRow(text);
      checkHead(text);
      checkAudit(text);
      for (const [key, { lastSeen, seenCount }] of decodeSightings(text))
        demand(
          typeof key === 'string' && Number.isSafeInteger(lastSeen) && Number.isSafeInteger(seenCount),
          'a sighting is numbers',
          key,
        );
    };
    return {
      seeds: [
        ...written.map(([, text]) => text),
        headText,
        ...audit.map((row) => JSON.stringify(row)),
        JSON.stringify([[spki(1), 5, 2]]),
      ],
      run,
    };
  },
};
