import { openLevelStore } from '../../src/store/level.ts';
import { pinStoreContract } from './contract.ts';
import { noon, temporaryDirectory } from './fixtures.ts';

pinStoreContract({
  name: 'the embedded store',
  open: () => openLevelStore({ directory: temporaryDirectory(), create: true, now: () => noon }),
});
