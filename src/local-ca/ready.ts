// Brings the local CA and its leaves to what is wanted now: reads what there is, makes what is missing or due.
// A CA that clients imported is never replaced because its files are damaged; that is told, and nothing starts.

import { signedBy } from '../trust/parsed-certificate.ts';
import { readAuthority, standingOf, type Authority, type Standing } from './authority.ts';
import type { Folder, PairName, Write } from './folder.ts';
import type { LeafKind, Owner } from './issue.ts';
import { allOf, sameNames, type LocalNames } from './names.ts';
import { readPair, type Pair, type PairText } from './pair.ts';
import { authorityDamaged, authorityForeign, news, type News } from './news.ts';

export interface Wish {
  readonly names: LocalNames;
  readonly kinds: readonly LeafKind[];
  readonly owner: Owner;
}

export interface Ready {
  readonly authority: Authority;
  readonly leaves: readonly Pair[];
  /** What was made. */
  readonly writes: readonly Write[];
  /** To tell once this is in force. */
  readonly news: readonly News[];
}

const leafNames: Readonly<Record<LeafKind, PairName>> = { ecdsa: 'leaf', rsa: 'leaf-rsa' };
const keyNames: Readonly<Record<LeafKind, string>> = { ecdsa: 'EC P-256', rsa: 'RSA 2048' };

/** Writes nothing. @throws CommandError or StoreError `store` */
export async function makeReady(folder: Folder, wish: Wish, now: number): Promise<Ready> {
  await folder.check();
  const found = await authorityFor(folder, wish, now);
  const leaves = await Promise.all(
    wish.kinds.map((kind) => leafFor(folder, { kind, wish, authority: found.pair, now })),
  );
  const writes = [...found.writes, ...leaves.flatMap(({ writes: own }) => own)];
  return {
    authority: found.authority,
    leaves: leaves.map(({ pair }) => pair),
    writes,
    // The new leaf of a new CA is no news of its own.
    news: [...found.news, ...(found.writes.length > 0 ? [] : leaves.flatMap((leaf) => leaf.news))],
  };
}

/** Writes what was made beside its place: whether the disk takes it is known before anything changes. @throws StoreError */
export async function stageReady(folder: Folder, { writes }: Pick<Ready, 'writes'>): Promise<void> {
  for (const write of writes) await folder.stage(write);
}

/** Puts what was staged in place; a CA that it replaces is kept under a dated name. @throws StoreError */
export async function putReady(
  folder: Folder,
  { writes }: Pick<Ready, 'writes'>,
  now: number,
): Promise<void> {
  for (const write of writes) {
    if (write.name === 'ca' && (await isAnother(folder, write)))
      await folder.keepAuthority(new Date(now).toISOString().slice(0, 10));
    await folder.put(write);
  }
}

/** Never rejects: what stays beside its place is written over the next time. */
export async function discardReady(folder: Folder, ready: Pick<Ready, 'writes'> | null): Promise<void> {
  for (const write of ready?.writes ?? []) await folder.discard(write).catch(() => undefined);
}

async function isAnother(folder: Folder, { name, text }: Write): Promise<boolean> {
  const reading = await folder.read(name);
  return reading.state === 'good' && reading.pair.certificate !== pairOf(text).certificate;
}

interface Found {
  readonly pair: Pair;
  readonly writes: readonly Write[];
  readonly news: readonly News[];
}

async function authorityFor(
  folder: Folder,
  wish: Wish,
  now: number,
): Promise<Found & { readonly authority: Authority }> {
  const reading = await folder.read('ca');
  switch (reading.state) {
    case 'torn':
      throw authorityDamaged(reading, folder.path);
    case 'none':
      return madeAuthority(wish, { now, before: null });
    case 'good': {
      const authority = ownAuthority(reading.pair, folder);
      const standing = standingOf(authority, { names: wish.names, now });
      if (standing.state === 'ended' || standing.state === 'narrow')
        return madeAuthority(wish, { now, before: { authority, standing } });
      return { pair: reading.pair, authority, writes: [], news: news.standing(authority, standing) };
    }
  }
}

function ownAuthority(pair: Pair, folder: Folder): Authority {
  try {
    return readAuthority(pair.parsed.der);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    const torn = { file: folder.file('ca', 'certificate'), why: cause.message };
    throw authorityDamaged(torn, folder.path);
  }
}

interface Before {
  readonly authority: Authority;
  readonly standing: Extract<Standing, { readonly state: 'ended' | 'narrow' }>;
}

async function madeAuthority(
  { names, owner }: Wish,
  { now, before }: { readonly now: number; readonly before: Before | null },
): Promise<Found & { readonly authority: Authority }> {
  const { makeAuthority } = await import('./issue.ts');
  const text = await makeAuthority(names, { owner, now });
  const pair = pairOf(text);
  const authority = readAuthority(pair.parsed.der);
  return {
    pair,
    authority,
    writes: [{ name: 'ca', text }],
    news: [before === null ? news.made(authority) : news.replaced(authority, before)],
  };
}

interface LeafParts {
  readonly kind: LeafKind;
  readonly wish: Wish;
  readonly authority: Pair;
  readonly now: number;
}

async function leafFor(folder: Folder, parts: LeafParts): Promise<Found> {
  const { kind, wish, authority, now } = parts;
  const name = leafNames[kind];
  // Nobody imported a leaf: one that is damaged is made anew.
  const reading = await folder.read(name);
  if (reading.state === 'good' && fits(reading.pair, parts))
    return { pair: reading.pair, writes: [], news: [] };
  const text = await makeLeafOf(authority, { names: wish.names, kind, now }, folder);
  const pair = pairOf(text);
  const told =
    reading.state === 'torn'
      ? [news.leafDamaged(reading)]
      : reading.state === 'good'
        ? [news.renewed(pair)]
        : [];
  return { pair, writes: [{ name, text }], news: told };
}

async function makeLeafOf(
  authority: Pair,
  order: { readonly names: LocalNames; readonly kind: LeafKind; readonly now: number },
  folder: Folder,
): Promise<PairText> {
  const { makeLeaf } = await import('./issue.ts');
  try {
    return await makeLeaf(authority, order);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw authorityForeign(folder.file('ca', 'certificate'), cause.message);
  }
}

/** Whether a leaf that was found can be shown today and for some time. */
function fits(leaf: Pair, { kind, wish, authority, now }: LeafParts): boolean {
  const shown = leaf.parsed.extensions.names.map(({ value }) => value);
  return (
    leaf.parsed.key?.name === keyNames[kind] &&
    signedBy(leaf.parsed, authority.parsed) &&
    sameNames(shown, allOf(wish.names)) &&
    !isDue(leaf, { authorityEnds: authority.notAfter, now })
  );
}

/**
 * A leaf is due when its time has not come (the clock was set back), or a third of its life is left. One that ends
 * with its CA gains nothing by being made again before that.
 */
export function isDue(
  { notBefore, notAfter }: Pick<Pair, 'notBefore' | 'notAfter'>,
  { authorityEnds, now }: { readonly authorityEnds: number; readonly now: number },
): boolean {
  if (now < notBefore || now >= notAfter) return true;
  return notAfter < authorityEnds && now >= notAfter - (notAfter - notBefore) / 3;
}

const pairOf = (text: PairText): Pair =>
  readPair({ certificate: Buffer.from(text.certificate), key: Buffer.from(text.key) });
