// The JSON Schema (draft 7) that editors use; config/letterlock.schema.json is this, printed.

import { toJSONSchema } from 'zod/mini';
import { configSchema } from './schema.ts';

export const jsonSchema = (): Record<string, unknown> => ({
  ...toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }),
  title: 'letterlock configuration',
});
