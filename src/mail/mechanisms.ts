// Which SASL mechanisms a client must not see. SCRAM with channel binding is bound to a TLS connection that ends
// here, so it cannot succeed through a proxy. A client on TLS of its own that sees only the PLUS names gone
// would claim that the server lacks them, and a server that has them must then fail it (RFC 5802 section 6).

export type ClientTls = 'off' | 'starttls' | 'implicit';

const plusName = /^SCRAM-.+-PLUS$/;
const scramName = /^SCRAM-/;
/** These need no password of ours and so are no way in for a client that came with one. */
const noWayIn = new Set(['EXTERNAL', 'ANONYMOUS', '']);

/** Upper-case names to take out of a list of what a server offers. */
export function hiddenMechanisms(offered: readonly string[], clientTls: ClientTls): ReadonlySet<string> {
  const names = offered.map((name) => name.toUpperCase());
  const bound = names.filter((name) => plusName.test(name));
  if (clientTls === 'off' || bound.length === 0) return new Set(bound);
  const scram = names.filter((name) => scramName.test(name));
  const others = names.some((name) => !scramName.test(name) && !noWayIn.has(name));
  return new Set(others ? scram : bound);
}

/** A list divided by spaces without the hidden names; everything else in it stays as it is. */
export const withoutNames = (list: string, hidden: ReadonlySet<string>): string =>
  list
    .split(' ')
    .filter((name) => !hidden.has(name.toUpperCase()))
    .join(' ');
