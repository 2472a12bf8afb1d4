// A pin store with a real engine on it, and the chains of certificates servers of this run present to it.

import { randomBytes } from 'node:crypto';
import { Feed } from '../../src/admin/feed.ts';
import type { LiveParts } from '../../src/admin/tofu-operator.ts';
import { parseEndpoint } from '../../src/endpoint.ts';
import { loadAnchors } from '../../src/net/anchors.ts';
import type { PinStore } from '../../src/store/pin-store.ts';
import { Tofu } from '../../src/tofu.ts';
import type { Settled } from '../../src/tofu.ts';
import type { Peer, TrustSettings } from '../../src/trust/evidence.ts';
import { spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { derOf, selfSigned } from '../net/peers.ts';
import type { Identity } from '../net/peers.ts';

export const home = 'imap.example.org:993';
export const office = 'mail.example.net:465';
export const tofuSettings: TrustSettings = { policy: 'tofu', firstUse: 'accept', configPins: [] };

const peerOf = (identity: Identity): Peer => ({
  chain: [new Uint8Array(derOf(identity))],
  spki: keyOf(identity),
  resumed: false,
  chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', profile: 'modern' },
});

export function keyOf(identity: Identity): string {
  const spki = spkiOfCertificate(new Uint8Array(derOf(identity)));
  if (spki === null) throw new TypeError('a certificate of ours has a key');
  return spki;
}

/** A server shows `identity` for `endpoint`, and what letterlock decides is carried out. */
async function present(tofu: Tofu, endpoint: string, identity: Identity): Promise<Settled> {
  const anchors = await loadAnchors([]);
  const question = {
    endpoint: parseEndpoint(endpoint),
    settings: tofuSettings,
    peer: peerOf(identity),
    anchors,
  };
  return tofu.settle(tofu.judge(question));
}

export interface Story {
  /** Pinned on first use at `home`. */
  readonly old: Identity;
  /** Shown at `home` later: refused, a candidate. */
  readonly fresh: Identity;
  /** Shown at `office` only. */
  readonly other: Identity;
}

export const makeStory = async (): Promise<Story> => ({
  old: await selfSigned(),
  fresh: await selfSigned(),
  other: await selfSigned(),
});

/** First use at home and office, then another key at home. */
export async function tell(tofu: Tofu, { old, fresh, other }: Story): Promise<void> {
  await present(tofu, home, old);
  await present(tofu, office, other);
  await present(tofu, home, fresh);
}

export const openTofu = (store: PinStore, secret: Uint8Array = randomBytes(32)): Promise<Tofu> =>
  Tofu.open({ store, secret, now: Date.now, builtAt: 0, on: () => undefined });

/** The methods of a store as a plain object, so that one can be replaced. */
export const bound = (store: PinStore): PinStore => ({
  load: () => store.load(),
  commit: (changes) => store.commit(changes),
  changes: (generation, signal) => store.changes(generation, signal),
  history: (endpoint) => store.history(endpoint),
  touch: (touches) => store.touch(touches),
  sealed: (endpoint) => store.sealed(endpoint),
  held: () => store.held(),
  health: () => store.health(),
  close: () => store.close(),
});

/** Of an Operator without a proxy. */
export const silent: LiveParts = {
  sessions: async () => [],
  endpoints: async () => [],
  probe: () => Promise.reject(new TypeError('nobody probes here')),
  follow: ({ signal }) => new Feed(Date.now).follow({ after: null, signal }),
};
