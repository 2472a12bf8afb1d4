// Revocation: lists and stapled answers made by the openssl program, and odd ones made by hand.

import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { type Crl, readCrls } from '../../src/trust/crl.ts';
import { Examiner } from '../../src/trust/examine.ts';
import { type Asked, readStaple, type StapleWord, wordAt } from '../../src/trust/ocsp.ts';
import { parseCertificate } from '../../src/trust/parsed-certificate.ts';
import {
  basicConstraints,
  cn,
  der,
  endpointOf,
  extension,
  type Forged,
  forgeCa,
  forgeLeaf,
  keyUsage,
  oid,
  sequence,
  text,
  uri,
} from './forge.ts';
import { crlPem, forgeCrl, listIssuer, type ListWish } from './forge-crl.ts';
import { OpensslCa } from './openssl-ca.ts';

const ca = new OpensslCa();
const middle = new OpensslCa('Revoked Intermediate', ca);
const other = new OpensslCa('Revoking CA');
afterAll(() => [ca, middle, other].forEach((each) => each.close()));

const good = ca.issue();
const bad = ca.issue();
const held = ca.issue();
const stapling = ca.issue('staple');
const responder = ca.issue('responder', 'OCSP responder');
const below = middle.issue();
ca.revoke(bad);
const list = readCrls(readFileSync(ca.crl()));
ca.revoke(held, 'certificateHold');
const heldList = readCrls(readFileSync(ca.crl({ name: 'held.pem' })));
const middleAsIssued = { certificate: middle.certificate, key: '', der: middle.der };

const now = Date.now();
interface Seen {
  readonly lists?: readonly Crl[];
  readonly staple?: Uint8Array | null;
  readonly anchors?: readonly OpensslCa[];
  readonly at?: number;
  readonly examiner?: Examiner;
}
const wordOfStaple = (staple: Uint8Array, asked: Asked, at: number): StapleWord =>
  wordAt(readStaple(staple, asked), at);
const examined = (
  chain: readonly Uint8Array[],
  { lists = [], staple, anchors = [ca], at = now, examiner = new Examiner() }: Seen = {},
) =>
  examiner.examine(chain, {
    anchors: { digest: 'a', certificates: anchors.map((each) => each.der), crls: { lists } },
    endpoint: endpointOf('mail.test'),
    chainError: anchors.length === 0 ? 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' : null,
    staple,
    now: at,
    clockSuspect: false,
  });

describe('what was found out of a path before', () => {
  const examiner = new Examiner();
  const faults = (seen: Seen, of = bad): readonly string[] =>
    examined([of.der], { ...seen, examiner }).faults;

  it('is asked of the lists in force now', () => {
    expect(faults({})).toEqual([]);
    expect(faults({ lists: list })).toEqual(['revoked']);
    expect(faults({ lists: list })).toEqual(['revoked']);
    expect(faults({ lists: readCrls(readFileSync(other.crl())) })).toEqual([]);
    expect(faults({ lists: list }, good)).toEqual([]);
  });

  it('is asked of the answer stapled now, and at this time', () => {
    const staple = ca.ocsp(stapling);
    const later = now + 4 * 86_400_000;
    expect(faults({ staple }, stapling)).toEqual([]);
    expect(faults({ staple }, stapling)).toEqual([]);
    expect(faults({ staple, at: later }, stapling)).toEqual(['staple-missing']);
    expect(faults({ staple: null }, stapling)).toEqual(['staple-missing']);
    expect(faults({ staple }, stapling)).toEqual([]);
    expect(faults({ staple: ca.ocsp(bad) })).toEqual(['revoked']);
    expect(faults({ staple: ca.ocsp(good) })).toEqual([]);
    expect(faults({ staple: ca.ocsp(bad), at: later })).toEqual([]);
  });
});

describe('a revocation list', () => {
  it('finds the certificate it names, and no other', () => {
    expect(examined([bad.der], { lists: list })).toMatchObject({ caValid: false, faults: ['revoked'] });
    expect(examined([good.der], { lists: list })).toMatchObject({ caValid: true, faults: [] });
    expect(examined([bad.der])).toMatchObject({ caValid: true, faults: [] });
  });

  it('may be DER, one of several lists in a file, or hold a certificate back for a while', () => {
    ca.run(['crl', '-in', 'held.pem', '-outform', 'DER', '-out', 'held.der']);
    expect(examined([held.der], { lists: readCrls(readFileSync(ca.path('held.der'))) }).faults).toEqual([
      'revoked',
    ]);
    const both = readCrls(Buffer.concat([readFileSync(other.crl()), readFileSync(ca.path('list.pem'))]));
    expect(both).toHaveLength(2);
    expect(examined([bad.der], { lists: both }).faults).toEqual(['revoked']);
    expect(examined([held.der], { lists: both }).faults).toEqual([]);
    expect(examined([held.der], { lists: heldList }).faults).toEqual(['revoked']);
  });

  it('that is out of date still counts for what it names', () => {
    const [old, ...more] = readCrls(readFileSync(ca.crl({ name: 'old.pem', days: 0 })));
    expect(more).toEqual([]);
    expect(old?.isStale(now)).toBe(true);
    expect(list[0]?.isStale(now)).toBe(false);
    expect(examined([bad.der], { lists: old === undefined ? [] : [old] }).faults).toEqual(['revoked']);
  });

  it('of a CA with the same name and another key counts for nothing', () => {
    const [own] = readCrls(readFileSync(other.crl()));
    expect(own?.content.issuer.key).toBe(list[0]?.content.issuer.key);
    expect(own?.isOf(parseCertificate(ca.der))).toBe(false);
    expect(own?.isOf(parseCertificate(other.der))).toBe(true);
  });

  it('reaches an intermediate, unless another path avoids it', () => {
    const chain = [below.der, middle.der];
    expect(examined(chain, { lists: list }).faults).toEqual([]);
    ca.revoke(middleAsIssued);
    const lists = readCrls(readFileSync(ca.crl({ name: 'middle.pem' })));
    expect(examined(chain, { lists }).faults).toEqual(['revoked']);
    expect(examined(chain, { lists, anchors: [ca, middle] })).toMatchObject({ caValid: true, faults: [] });
  });

  it('counts where the CA is no anchor, and was only presented', () => {
    const chain = [bad.der, ca.der];
    expect(examined(chain, { lists: list, anchors: [] }).faults).toEqual(['revoked', 'unknown-issuer']);
    expect(examined([bad.der], { lists: list, anchors: [] }).faults).toEqual(['unknown-issuer']);
  });
});

const root = listIssuer;

const reason = (code: number): Buffer => extension('2.5.29.21', Buffer.of(0x0a, 1, code));
const invalidSince = extension('2.5.29.24', text(0x18, '20260101000000Z'));
const unknown = (critical: boolean): Buffer => extension('1.2.3', Buffer.of(5, 0), critical);
/** IssuingDistributionPoint. */
const scope = (...fields: readonly Buffer[]): Buffer => extension('2.5.29.28', sequence(...fields), true);
const indirect = der(0x84, Buffer.of(0xff));
const place = der(0xa0, der(0xa0, uri('http://ca.example/list')));
const usersOnly = der(0x81, Buffer.of(0xff));
const nothingMore = Buffer.of(5, 0);

const isStale = (wish: ListWish, at: string): boolean =>
  readCrls(forgeCrl(wish)).some((each) => each.isStale(Date.parse(at)));
const fileOf = (count: number): Buffer => Buffer.from(crlPem(forgeCrl()).repeat(count));

describe('reading a list', () => {
  const leaf = forgeLeaf({ issuer: root });
  const revokes = (crl: Buffer, issuer: Forged = root): boolean =>
    readCrls(crl).some(
      (each) => each.isOf(parseCertificate(issuer.certificate)) && each.names(Buffer.of(0x11)),
    );

  it('takes a sound one', () => {
    expect(revokes(forgeCrl())).toBe(true);
    expect(parseCertificate(leaf.certificate).serial).toEqual(Buffer.of(0x11));
  });

  it.each([
    ['nothing', Buffer.from('hello'), /no revocation list in it/],
    ['a certificate', root.certificate, /cannot be used/],
    ['a delta list', forgeCrl({ extensions: [extension('2.5.29.27', Buffer.of(2, 1, 1), true)] }), /delta/],
    ['an indirect list', forgeCrl({ extensions: [scope(indirect)] }), /indirect/],
    ['an indirect list that names its place', forgeCrl({ extensions: [scope(place, indirect)] }), /indirect/],
    [
      'an entry of another issuer',
      forgeCrl({ entryExtensions: [extension('2.5.29.29', Buffer.of(5, 0), true)] }),
      /indirect/,
    ],
    ['an unknown critical extension', forgeCrl({ extensions: [unknown(true)] }), /critical/],
    ['one of an entry', forgeCrl({ entryExtensions: [unknown(true)] }), /critical extension of an entry/],
    [
      'one of an entry that is given back',
      forgeCrl({ entryExtensions: [reason(8), unknown(true)] }),
      /critical extension of an entry/,
    ],
    ['version 1 by number', forgeCrl({ version: Buffer.of(0) }), /version/],
    ['version 3', forgeCrl({ version: Buffer.of(2) }), /version/],
    [
      'another algorithm beside the signature than what is signed',
      forgeCrl({ outerAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) }),
      /not the one beside/,
    ],
    ['SHA-1', forgeCrl({ algorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' }), /proves nothing/],
    ['a field too many', forgeCrl({ tail: nothingMore }), /too many/],
    ['a field too many in what is signed', forgeCrl({ bodyTail: nothingMore }), /too many/],
    ['a field too many in an entry', forgeCrl({ entryTail: nothingMore }), /too many/],
    ['a cut', forgeCrl().subarray(0, -3), /cannot be used/],
    [
      'a file for one of its lists, and says which',
      Buffer.from(crlPem(forgeCrl()) + crlPem(forgeCrl().subarray(0, -3))),
      /^revocation list 2 cannot be used/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readCrls(bytes)).toThrow(message);
  });

  it.each<[string, ListWish]>([
    ['without a version', { version: null }],
    ['without a time of the next', { nextUpdate: null }],
    ['with the time of the next in four digits', { nextUpdate: text(0x18, '20600101000000Z') }],
    ['with a serial number in needless zeros', { serial: Buffer.of(0, 0, 0x11) }],
    ['for users only', { extensions: [scope(place, usersOnly)] }],
    ['that is not indirect, and says so', { extensions: [scope(der(0x84, Buffer.of(0)))] }],
    ['with an extension that nobody must know', { extensions: [unknown(false)] }],
    ['with a reason', { entryExtensions: [reason(1)] }],
    ['with the day the key was lost', { entryExtensions: [invalidSince] }],
  ])('takes one %s', (_, wish) => {
    expect(revokes(forgeCrl(wish))).toBe(true);
  });

  it('leaves out what a list gives back', () => {
    expect(revokes(forgeCrl({ entryExtensions: [reason(8)] }))).toBe(false);
    expect(revokes(forgeCrl({ entryExtensions: [reason(8), invalidSince] }))).toBe(false);
    expect(revokes(forgeCrl({ serial: null }))).toBe(false);
  });

  it('is out of date from the moment the next is due, and never where none is announced', () => {
    expect(isStale({}, '2026-12-31T23:59:59.999Z')).toBe(false);
    expect(isStale({}, '2027-01-01T00:00:00Z')).toBe(true);
    expect(isStale({ nextUpdate: null }, '2099-01-01T00:00:00Z')).toBe(false);
  });

  it('takes 64 lists of one file, and no more', () => {
    expect(readCrls(fileOf(64))).toHaveLength(64);
    expect(() => readCrls(fileOf(65))).toThrow('more than 64 revocation lists');
  });

  it('counts for no issuer in whose certificate two readers see two keys', () => {
    const issuer = parseCertificate(root.certificate);
    const [crl] = readCrls(forgeCrl());
    expect(crl?.isOf({ ...issuer, spki: null })).toBe(false);
    expect(crl?.isOf(issuer)).toBe(true);
  });

  it('checks the signature once for each key, and keeps what it found of 64 keys', () => {
    const [crl] = readCrls(forgeCrl());
    const issuer = parseCertificate(root.certificate);
    let checks = 0;
    const counting = {
      get asymmetricKeyType() {
        checks += 1;
        return 'none';
      },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is asked of it here
    const publicKey = counting as unknown as KeyObject;
    const ask = (key: number): unknown => crl?.isOf({ ...issuer, spki: `key ${key}`, publicKey });
    for (let key = 0; key < 65; key += 1) for (const _ of [1, 2]) expect(ask(key)).toBe(false);
    expect(checks).toBe(64 + 2);
  });

  it('counts only signed by its issuer, who may sign lists', () => {
    const impostor = forgeCa('Forged Root');
    const noLists = forgeCa('No Lists', { extensions: [basicConstraints(true), keyUsage('keyCertSign')] });
    expect(revokes(forgeCrl({ by: impostor }))).toBe(false);
    expect(revokes(forgeCrl({ by: impostor }), impostor)).toBe(true);
    expect(revokes(forgeCrl({ by: noLists }), noLists)).toBe(false);
    expect(revokes(forgeCrl({ by: { ...root, subject: cn('Other') } }))).toBe(false);
    const altered = forgeCrl();
    altered[altered.indexOf('260101') + 1] = 0x35;
    expect(revokes(altered)).toBe(false);
  });
});

describe('a stapled answer', () => {
  const asked = (issued: typeof good, issuer: OpensslCa = ca) => ({
    leaf: parseCertificate(issued.der),
    issuer: parseCertificate(issuer.der),
  });
  const goodAnswer = ca.ocsp(good);
  const badAnswer = ca.ocsp(bad);

  it('says good and revoked, signed by the CA or by whom it made a responder', () => {
    expect(wordOfStaple(goodAnswer, asked(good), now)).toBe('good');
    expect(wordOfStaple(badAnswer, asked(bad), now)).toBe('revoked');
    expect(wordOfStaple(ca.ocsp(bad, responder), asked(bad), now)).toBe('revoked');
    expect(wordOfStaple(ca.ocsp(good, responder), asked(good), now)).toBe('good');
    expect(wordOfStaple(ca.ocsp(bad, responder, ['-ndays', '3', '-rmd', 'sha512']), asked(bad), now)).toBe(
      'revoked',
    );
  });

  it('says nothing about another certificate, of another CA, or of another time', () => {
    expect(wordOfStaple(badAnswer, asked(good), now)).toBe('nothing');
    expect(wordOfStaple(badAnswer, asked(bad, other), now)).toBe('nothing');
    expect(wordOfStaple(badAnswer, asked(bad), now + 4 * 86_400_000)).toBe('nothing');
    expect(wordOfStaple(badAnswer, asked(bad), now - 86_400_000)).toBe('nothing');
    const openEnd = ca.ocsp(bad, null, []);
    expect(wordOfStaple(openEnd, asked(bad), now)).toBe('revoked');
    expect(wordOfStaple(openEnd, asked(bad), now + 8 * 86_400_000)).toBe('nothing');
  });

  it('says nothing when its signer is not a responder of this CA', () => {
    expect(wordOfStaple(ca.ocsp(bad, good), asked(bad), now)).toBe('nothing');
    const stranger = other.issue('responder', 'OCSP responder');
    expect(wordOfStaple(ca.ocsp(bad, stranger), asked(bad), now)).toBe('nothing');
    expect(wordOfStaple(ca.ocsp(bad, null, ['-ndays', '3', '-rmd', 'sha1']), asked(bad), now)).toBe(
      'nothing',
    );
    expect(wordOfStaple(ca.ocsp(bad, responder, ['-ndays', '3', '-resp_no_certs']), asked(bad), now)).toBe(
      'nothing',
    );
  });

  it('says nothing when it is unknown, empty, cut, changed or endless', () => {
    const unlisted = other.issue();
    expect(wordOfStaple(ca.ocsp(good), asked(unlisted), now)).toBe('nothing');
    expect(wordOfStaple(Buffer.from('30030a0106', 'hex'), asked(bad), now)).toBe('nothing');
    expect(wordOfStaple(Buffer.alloc(0), asked(bad), now)).toBe('nothing');
    expect(wordOfStaple(Buffer.alloc(65_537, 0x30), asked(bad), now)).toBe('nothing');
    for (let at = 0; at < badAnswer.length; at += 5) {
      expect(wordOfStaple(badAnswer.subarray(0, at), asked(bad), now)).toBe('nothing');
      const changed = Buffer.from(badAnswer);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x01, at);
      expect(wordOfStaple(changed, asked(bad), now)).not.toBe('good');
    }
  });

  it('that says revoked is a fault of a pinned certificate too; all else is none', () => {
    expect(examined([bad.der], { staple: badAnswer }).faults).toEqual(['revoked']);
    expect(examined([bad.der], { staple: goodAnswer }).faults).toEqual([]);
    expect(examined([bad.der], { staple: null }).faults).toEqual([]);
    expect(examined([bad.der, ca.der], { staple: badAnswer, anchors: [] }).faults).toEqual([
      'revoked',
      'unknown-issuer',
    ]);
  });

  it('is demanded by must-staple, where one was asked for', () => {
    expect(examined([stapling.der], { staple: ca.ocsp(stapling) })).toMatchObject({
      caValid: true,
      faults: [],
    });
    expect(examined([stapling.der], { staple: null })).toMatchObject({
      caValid: false,
      faults: ['staple-missing'],
    });
    expect(examined([stapling.der], { staple: goodAnswer }).faults).toEqual(['staple-missing']);
    expect(examined([stapling.der]).faults).toEqual([]);
    expect(examined([good.der], { staple: null }).faults).toEqual([]);
  });
});
