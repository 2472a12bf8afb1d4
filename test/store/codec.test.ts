import { expect, it } from 'vitest';
import { decodeRow, encode, encodeRow } from '../../src/store/codec.ts';
import { endpoint, recordOf } from './fixtures.ts';

const row = { endpoint, revision: 3, generation: 7, record: recordOf(endpoint, { epoch: 2 }) };

it.each([
  ['as it is written', encodeRow('key', row)],
  [
    'with words behind it that another release wrote',
    encode('key', { ...row, tags: { of: { another: 1 } } }),
  ],
  ['in another order', encode('key', { record: row.record, generation: 7, revision: 3, endpoint })],
])('reads the record of a row %s', (_, text) => {
  const { revision, generation, record } = decodeRow('key', endpoint, text) ?? {};
  expect({ revision, generation, record }).toEqual({ revision: 3, generation: 7, record: row.record });
});
