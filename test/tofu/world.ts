// The world around the engine: certificates made for this run, a clock that is set by hand, peers as a handshake
// would leave them, and everything the engine told. Engine, judge, examiner and store are the real ones.

import type { AnchorSet } from '../../src/net/anchors.ts';
import { Contexts } from '../../src/net/contexts.ts';
import { LeafKeys } from '../../src/net/leaf-keys.ts';
import { openMemoryStore } from '../../src/store/memory.ts';
import type { PinStore, StoredAuditEntry } from '../../src/store/pin-store.ts';
import { Tofu, type Judged, type Question, type Settled } from '../../src/tofu.ts';
import type { TrustEvent } from '../../src/tofu/event.ts';
import type { Command, CommandAnswer, CommandOf } from '../../src/trust/command.ts';
import type { Peer, TrustSettings } from '../../src/trust/evidence.ts';
import { sha256Of, spkiOfCertificate } from '../../src/trust/fingerprint.ts';
import { emptyRecord, type EndpointRecord } from '../../src/trust/record.ts';
import {
  dns,
  ecKeys,
  endpointOf,
  extendedKeyUsage,
  forgeCa,
  forgeLeaf,
  san,
  serverAuth,
  type Keys,
} from '../trust/forge.ts';

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
export const start = Date.parse('2026-03-01T12:00:00Z');
const server = endpointOf('mail.example.org');

const authority = forgeCa('CN of a CA that is trusted here');
const anchors: AnchorSet = {
  digest: 'the CA of this run',
  certificates: [authority.certificate],
  counts: { system: 0, bundled: 0, file: 1 },
  contexts: new Contexts([]),
  keys: new LeafKeys(),
};
export const noAnchors: AnchorSet = {
  ...anchors,
  digest: 'none',
  certificates: [],
  counts: { system: 0, bundled: 0, file: 0 },
};

/** A key of a server with one certificate, and what OpenSSL would say of its chain. */
export interface Identity {
  readonly spki: string;
  readonly sha256: string;
  readonly keys: Keys;
  readonly peer: Peer;
}

interface Certified {
  readonly keys?: Keys;
  readonly from?: string;
  readonly to?: string;
  readonly host?: string;
}

/** ISO 8601 as certificates are made from, without milliseconds. */
const iso = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

function certified(
  {
    keys = ecKeys(),
    from = iso(start - day),
    to = iso(start + 90 * day),
    host = 'mail.example.org',
  }: Certified,
  issuer: 'self' | 'ca',
): Identity {
  const extensions = [san(dns(host)), extendedKeyUsage(serverAuth)];
  const leaf = forgeLeaf({ keys, from, to, extensions, ...(issuer === 'ca' ? { issuer: authority } : {}) });
  const spki = spkiOfCertificate(leaf.certificate);
  if (spki === null) throw new Error('a key of this run can be read');
  const chainError = issuer === 'ca' ? null : 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', profile: 'modern' } as const;
  return {
    spki,
    sha256: sha256Of(leaf.certificate),
    keys,
    peer: { chain: [leaf.certificate], spki, resumed: false, chainError, tls },
  };
}

export const selfSigned = (wish: Certified = {}): Identity => certified(wish, 'self');
export const caSigned = (wish: Certified = {}): Identity => certified(wish, 'ca');
/** The same, met in a legacy handshake, where OpenSSL says yes to every chain. */
export const inLegacy = (identity: Identity): Identity => ({
  ...identity,
  peer: { ...identity.peer, chainError: null, tls: { ...identity.peer.tls, profile: 'legacy' } },
});
/** Valid for 90 days from `at`. */
export const issuedAt = (at: number, keys: Keys = ecKeys()): Identity =>
  caSigned({ keys, from: iso(at), to: iso(at + 90 * day) });

export const trusting = (part: Partial<TrustSettings> = {}): TrustSettings => ({
  policy: 'auto',
  firstUse: 'accept',
  configPins: [],
  ...part,
});

/** What became of a session, in one word: how it was accepted, or why not. */
export type Ending = string;

export class World {
  now = start;
  settings = trusting();
  anchors = anchors;
  endpoint = server;
  readonly events: TrustEvent[] = [];
  readonly store: PinStore;
  tofu: Tofu;

  private constructor(store: PinStore, tofu: Tofu, events: TrustEvent[]) {
    this.store = store;
    this.tofu = tofu;
    this.events = events;
  }

  static async open(
    settings: Partial<TrustSettings> = {},
    store: PinStore = openMemoryStore(),
  ): Promise<World> {
    const events: TrustEvent[] = [];
    const clock = { now: (): number => start };
    const options = { store, secret: Buffer.alloc(32, 7), now: () => clock.now(), builtAt: start - day };
    const tofu = await Tofu.open({ ...options, on: (event) => void events.push(event) });
    const world = new World(store, tofu, events);
    clock.now = () => world.now;
    world.settings = trusting(settings);
    return world;
  }

  /** The same store under a new engine, as after a restart. */
  async restarted(): Promise<World> {
    await this.tofu.close();
    const next = await World.open(this.settings, this.store);
    next.now = this.now;
    return next;
  }

  question(identity: Identity): Question {
    return { endpoint: this.endpoint, settings: this.settings, peer: identity.peer, anchors: this.anchors };
  }

  judge(identity: Identity): Judged {
    return this.tofu.judge(this.question(identity));
  }

  async settle(identity: Identity): Promise<Settled> {
    return this.tofu.settle(this.judge(identity));
  }

  /** One session with a server that has this key. */
  async meet(identity: Identity): Promise<Ending> {
    const settled = await this.settle(identity);
    return settled.accept ? settled.vouched.basis : settled.reason;
  }

  after(ms: number): void {
    this.now += ms;
  }

  command(command: Command): Promise<CommandAnswer> {
    return this.tofu.command(command, { origin: 'cli' });
  }

  approve(
    identity: { readonly spki: string },
    part: Partial<CommandOf<'approve'>> = {},
  ): Promise<CommandAnswer> {
    const plain = { forMs: null, as: null, keep: false, endOld: false, unreject: false } as const;
    return this.command({
      command: 'approve',
      endpoint: this.endpoint.name,
      expect: identity.spki,
      ...plain,
      ...part,
    });
  }

  reject(identity: { readonly spki: string }): Promise<CommandAnswer> {
    return this.command({ command: 'reject', endpoint: this.endpoint.name, expect: identity.spki });
  }

  forget(part: Partial<CommandOf<'forget'>> = { yes: true }): Promise<CommandAnswer> {
    return this.command({
      command: 'forget',
      endpoint: this.endpoint.name,
      expect: null,
      yes: false,
      ...part,
    });
  }

  undo(): Promise<CommandAnswer> {
    return this.command({ command: 'undo', endpoint: this.endpoint.name });
  }

  add(pin: string, part: Partial<CommandOf<'add'>> = {}): Promise<CommandAnswer> {
    return this.command({
      command: 'add',
      endpoint: this.endpoint.name,
      pin,
      forMs: null,
      unreject: false,
      ...part,
    });
  }

  get record(): EndpointRecord {
    return this.tofu.record(this.endpoint.name) ?? emptyRecord(this.endpoint.name);
  }

  /** Events of one kind, oldest first. */
  told<K extends TrustEvent['type']>(type: K): readonly Extract<TrustEvent, { type: K }>[] {
    return this.events.filter((event): event is Extract<TrustEvent, { type: K }> => event.type === type);
  }

  /** What the audit log says happened, oldest first. */
  async history(): Promise<readonly StoredAuditEntry[]> {
    const entries: StoredAuditEntry[] = [];
    for await (const entry of this.store.history(this.endpoint.name)) entries.push(entry);
    return entries;
  }
}
