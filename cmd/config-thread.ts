// The thread in which a running proxy reads a long configuration again; see src/config/load-apart.ts. It ends by itself.

import { workerData } from 'node:worker_threads';
import { tellConfig } from '../src/config/load-apart.ts';
import { readBuild } from '../src/ops/build.ts';

await tellConfig(workerData, readBuild());
