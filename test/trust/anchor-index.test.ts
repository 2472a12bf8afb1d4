// Trust anchors by subject: what is found, and what is kept of what was asked.

import { describe, expect, it } from 'vitest';
import { AnchorIndex } from '../../src/trust/anchor-index.ts';
import { parseCertificate } from '../../src/trust/parsed-certificate.ts';
import { forgeCa } from './forge.ts';

const one = forgeCa('One');
const namesake = forgeCa('One');
const other = forgeCa('Other');
const unreadable = one.certificate.subarray(0, -1);
const parsed = parseCertificate(one.certificate);
const index = new AnchorIndex([unreadable, one.certificate, other.certificate, namesake.certificate]);

describe('an index of anchors', () => {
  it('finds all of one subject, and none that cannot be read', () => {
    expect(index.named(parsed.subject.key).map(({ id }) => id)).toEqual([
      parsed.id,
      parseCertificate(namesake.certificate).id,
    ]);
    expect(index.knows(parsed.subject.key)).toBe(true);
  });

  it('knows no anchor that it was not given', () => {
    const stranger = parseCertificate(forgeCa('Stranger').certificate);
    expect(index.has(parsed)).toBe(true);
    expect(index.has(stranger)).toBe(false);
    expect(index.knows(stranger.subject.key)).toBe(false);
    expect(index.named(stranger.subject.key)).toEqual([]);
  });

  it('parses an anchor once, and keeps nothing of names that are no anchor’s, of which there is no end', () => {
    const single = parseCertificate(other.certificate).subject.key;
    expect(index.named(single)).toBe(index.named(single));
    expect(index.named('nobody')).not.toBe(index.named('nobody'));
  });
});
