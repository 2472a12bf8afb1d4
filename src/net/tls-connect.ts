// Node's own tls.connect. A preload may have put another in its place (src/library/install.ts); letterlock's own
// handshakes must not go through that one, also not those of a second copy of letterlock in the same process.

import { connect } from 'node:tls';

/** Under it a replacement keeps what it replaced. */
export const replaced = Symbol.for('letterlock.replaced');

function isConnect(value: unknown): value is typeof connect {
  return typeof value === 'function';
}

function originalOf(current: typeof connect): typeof connect {
  const original: unknown = Reflect.get(current, replaced);
  return isConnect(original) ? original : current;
}

export const tlsConnect: typeof connect = originalOf(connect);
