// Messages as short lines a failing test can print: length and hash, sorted, so that order does not matter.

import { createHash } from 'node:crypto';

export const digests = (messages: readonly Buffer[]): readonly string[] =>
  messages
    .map((message) => `${message.length} bytes ${createHash('sha256').update(message).digest('hex')}`)
    .toSorted((a, b) => a.localeCompare(b));
