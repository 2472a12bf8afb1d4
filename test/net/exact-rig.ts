// Sessions relayed by the function under test, over real sockets, each direction under a check of its own.

import { ReadBuffers } from '../../src/net/read-buffers.ts';
import type { RelayEnd, RelayOptions } from '../../src/net/relay-options.ts';
import { relay } from '../../src/net/relay.ts';
import { mint } from '../../src/trust/vouched.ts';
import { Line } from './exact-line.ts';
import { Patience } from './exact-patience.ts';
import {
  greeted,
  sceneOf,
  socketsOf,
  type Scene,
  type Shape,
  type Stage,
  type Words,
} from './exact-scene.ts';

/** The way on which the relay takes bytes from its sockets. */
export type Reading = 'own-buffers' | 'streams';

/** What is under test; a copy of it may be broken. */
export interface Tested {
  readonly relay: typeof relay;
  readonly ReadBuffers: typeof ReadBuffers;
}

export interface RigOptions {
  readonly stage: Stage;
  readonly reading: Reading;
  /** That of the source tree where none is given. */
  readonly tested?: Tested;
  /** How long nothing may move, milliseconds. */
  readonly patienceMs?: number;
  /** Whether the memory that is given back is overwritten, so that none can still be written from unseen. */
  readonly poisons?: boolean;
}

/** What a scenario may set of the relay's options. */
export type Changes = Partial<Omit<RelayOptions, 'counted' | 'vouched' | 'epoch'>>;

const vouched = mint({ endpoint: 'mail.test:993', spki: 'sha256//x', basis: 'pin', epoch: 7 });
const never = new AbortController().signal;
const long = 600_000;

export class Rig {
  readonly patience: Patience;
  readonly #options: RigOptions;
  readonly #passages: Passage[] = [];
  readonly #buffers: ReadBuffers;
  /** How often memory was taken to read into. */
  taken = 0;
  #count = 0;
  #described = false;

  constructor(options: RigOptions) {
    this.#options = options;
    this.patience = new Patience(options.patienceMs ?? 20_000);
    const { ReadBuffers: Buffers } = options.tested ?? { ReadBuffers };
    this.#buffers = this.#watched(new Buffers(), options.poisons ?? true);
  }

  /** A session that is greeted and not relayed yet; `early` writes before the greeting is read. */
  async passage(shape: Shape, early: (passage: Passage) => void = () => undefined): Promise<Passage> {
    const name = `session ${(this.#count += 1)} (${shape.client}, ${shape.upstream})`;
    const scene = await sceneOf(shape, this.#options.stage);
    const passage = new Passage(scene, { name, rig: this });
    this.#passages.push(passage);
    early(passage);
    passage.words = await greeted(scene);
    return passage;
  }

  /** The client of one and the server of another, not relayed yet; the others' readers stay and tell nothing any more. */
  between({ scene: { user, userRaw, client, clientRaw, sipped } }: Passage, other: Passage): Passage {
    const name = `session ${(this.#count += 1)} (another server)`;
    return new Passage({ ...other.scene, user, userRaw, client, clientRaw, sipped }, { name, rig: this });
  }

  /** The same, relayed. */
  async relayed(shape: Shape, changes: Changes = {}): Promise<Passage> {
    return (await this.passage(shape)).start(changes);
  }

  /** The names of all that is sent here; once, for the first fault: to search in all of it takes a while. */
  seeds(): readonly string[] {
    if (this.#described) return [];
    this.#described = true;
    return this.#passages.flatMap(({ up, down }) => [up.name, down.name]);
  }

  relay(options: RelayOptions): Promise<RelayEnd> {
    const { reading, tested } = this.#options;
    const carry = tested?.relay ?? relay;
    return carry(reading === 'streams' ? options : { ...options, buffers: () => this.#buffers });
  }

  #watched(buffers: ReadBuffers, poisons: boolean): ReadBuffers {
    const take = buffers.take.bind(buffers);
    const give = buffers.give.bind(buffers);
    buffers.take = () => {
      this.taken += 1;
      return take();
    };
    buffers.give = (slab) => give(poisons ? slab.fill(0xa5) : slab);
    return buffers;
  }

  /** Destroys what is left of all sessions until now. */
  close(): void {
    for (const { scene } of this.#passages.splice(0)) for (const socket of socketsOf(scene)) socket.destroy();
  }
}

export class Passage {
  readonly name: string;
  readonly scene: Scene;
  readonly up: Line;
  readonly down: Line;
  readonly counts = { up: 0, down: 0 };
  words: Words = { toClient: new Uint8Array(0), toUpstream: () => new Uint8Array(0) };
  /** Null until it is over. */
  end: RelayEnd | null = null;
  readonly #rig: Rig;

  constructor(scene: Scene, { name, rig }: { readonly name: string; readonly rig: Rig }) {
    this.name = name;
    this.scene = scene;
    this.#rig = rig;
    const common = { patience: rig.patience, seeds: () => rig.seeds() };
    const { user, host, sipped } = scene;
    this.up = new Line({ ...common, name: `${name} up`, source: user, target: host });
    this.down = new Line({ ...common, name: `${name} down`, source: host, target: user });
    sipped.take = (chunk) => this.down.take(chunk);
  }

  get lines(): readonly [Line, Line] {
    return [this.up, this.down];
  }

  /** Relays it, and both readers begin. */
  start(changes: Changes = {}): this {
    this.relay(changes);
    this.up.read();
    this.down.read();
    return this;
  }

  relay(changes: Changes = {}): void {
    const { client, clientRaw, upstream, raw } = this.scene;
    const { toClient, toUpstream } = this.words;
    this.end = null;
    void this.#rig
      .relay({
        vouched,
        epoch: 7,
        client,
        clientRaw,
        upstream,
        raw,
        toClient,
        toUpstream: toUpstream(),
        filter: null,
        firstBytes: null,
        idleMs: long,
        drainMs: long,
        signal: never,
        counted: (direction, bytes) => (this.counts[direction] += bytes),
        ...changes,
      })
      .then((end) => (this.end = end));
  }

  /** How it ended; it has to come soon. */
  async over(): Promise<RelayEnd> {
    await this.#rig.patience.until(() => this.end !== null, {
      moved: () => this.up.received + this.down.received,
      what: () => `${this.name}: the relay did not end`,
    });
    if (this.end === null) throw new Error(`${this.name}: the relay did not end`);
    return this.end;
  }

  /** It ends, and in that state. */
  async overAs(state: RelayEnd['state']): Promise<RelayEnd> {
    const end = await this.over();
    if (end.state !== state)
      throw new Error(`${this.name}: the relay ended ${JSON.stringify(end)}, not ${state}`);
    return end;
  }

  /** Both end, and all that was sent has arrived; `counted` told of exactly that. */
  async finish(): Promise<void> {
    this.up.end();
    this.down.end();
    await this.finished();
  }

  /** The same where both have ended already. */
  async finished(): Promise<void> {
    await Promise.all([this.up.whole(), this.down.whole()]);
    await this.overAs('ended');
    this.counted();
  }

  /** `counted` told of exactly what was sent. */
  counted(): void {
    for (const [direction, line] of [
      ['up', this.up],
      ['down', this.down],
    ] as const) {
      if (this.counts[direction] === line.sent) continue;
      throw new Error(`${line.name}: ${this.counts[direction]} bytes counted of ${line.sent} delivered`);
    }
  }

  /** Bytes that this process holds for the readers and that no reader's system has: the relay's own buffers. */
  held(): number {
    const { client, upstream, clientRaw, raw } = this.scene;
    const sockets = new Set([client, upstream, clientRaw, raw]);
    return [...sockets].reduce(
      (sum, { writableLength, readableLength }) => sum + writableLength + readableLength,
      0,
    );
  }
}
