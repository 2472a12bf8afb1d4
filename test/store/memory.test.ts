import { describe, expect, it } from 'vitest';
import { openMemoryStore } from '../../src/store/memory.ts';
import { pinStoreContract } from './contract.ts';
import { auditOf, changeOf, committed, endpoint, other } from './fixtures.ts';

pinStoreContract({ name: 'the memory store', open: async () => openMemoryStore() });

describe('a hold on first use', () => {
  it('outlives every change but a forget', async () => {
    const store = openMemoryStore({ held: [endpoint, other] });
    await committed(store, [changeOf(endpoint, 0, { audit: [auditOf(endpoint, { event: 'approved' })] })]);
    await committed(store, [changeOf(endpoint, 1, { audit: [auditOf(endpoint, { event: 'undone' })] })]);
    expect(store.held()).toEqual(new Set([endpoint, other]));
    await committed(store, [changeOf(endpoint, 2, { audit: [auditOf(endpoint, { event: 'forgotten' })] })]);
    expect(store.held()).toEqual(new Set([other]));
    await store.close();
  });
});
