import { expect, it } from 'vitest';
import { schemeNamed, schemes } from '../../src/mail/protocol.ts';

it('every scheme is found by its name, and nothing by another', () => {
  for (const scheme of schemes) expect(schemeNamed(scheme.scheme)).toBe(scheme);
  for (const name of ['', 'http', 'IMAPS', 'imap ']) expect(schemeNamed(name)).toBeNull();
});
