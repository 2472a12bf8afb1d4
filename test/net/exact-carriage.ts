// What must hold of the bytes while a session goes on: pieces of every size, readers of every manner, what lay there
// before, what the login filter and the look at the first bytes leave.

import { LoginFilter } from '../../src/mail/login-filter.ts';
import type { RelayFilter } from '../../src/net/relay-options.ts';
import type { Pieces, Stalls } from './exact-line.ts';
import { turns } from './exact-patience.ts';
import type { Changes, Passage, Rig } from './exact-rig.ts';
import type { Shape } from './exact-scene.ts';

export interface Scenario {
  /** A sentence: what the relay does. */
  readonly name: string;
  /** Throws where it does not. */
  readonly run: (rig: Rig) => Promise<void>;
  /** Memory that is given back stays as it is: what is reused too early shows by itself. */
  readonly unpoisoned?: true;
  /** About nothing but memory that is given back. */
  readonly ofMemory?: true;
}

export const clear: Shape = { client: 'tcp', upstream: 'starttls' };
export const secured: Shape = { client: 'tls', upstream: 'implicit' };
export const file: Shape = { client: 'unix', upstream: 'implicit' };
export const mixed: Pieces = {
  sizes: [1, 16_384, 7, 4096, 65_536, 1400, 16_385, 2, 131_072, 16_383, 300_000, 64, 1_048_576],
};

interface Load extends Pieces {
  readonly total: number;
  readonly recordBytes?: number;
}

const loads: readonly (Load & { readonly what: string })[] = [
  { what: '1 byte, apart', sizes: [1], apart: true, total: 1_500 },
  { what: '1 byte', sizes: [1], total: 30_000 },
  { what: '7 bytes, apart', sizes: [7], apart: true, total: 14_000 },
  { what: '7 bytes', sizes: [7], total: 150_000 },
  { what: '1400 bytes, apart', sizes: [1400], apart: true, total: 700_000 },
  { what: '1400 bytes, a record each', sizes: [140_000], recordBytes: 1400, total: 5_000_000 },
  { what: '4096 bytes, apart', sizes: [4096], apart: true, total: 2_000_000 },
  { what: '4096 bytes, a record each', sizes: [409_600], recordBytes: 4096, total: 8_000_000 },
  { what: '16 384 bytes', sizes: [16_384], total: 8_000_000 },
  { what: '65 536 bytes', sizes: [65_536], total: 12_000_000 },
  { what: '1 MiB', sizes: [1_048_576], total: 16_000_000 },
  { what: 'every size', ...mixed, total: 8_000_000 },
];

/** A session that has carried so much each way that it is in its stride. */
export async function inStride(
  rig: Rig,
  shape: Shape,
  { bytes = 200_000, ...changes }: Changes & { readonly bytes?: number } = {},
): Promise<Passage> {
  const passage = await rig.relayed(shape, changes);
  // In pieces for which nobody has to wait: then nothing puts off that it reads by its own buffers.
  await Promise.all(passage.lines.map((line) => line.carry(bytes, { sizes: [10_000], apart: true })));
  return passage;
}

/** Down, then up, then both at once. */
async function allWays({ up, down }: Passage, { total, ...pieces }: Load): Promise<void> {
  await down.carry(total, pieces);
  await up.carry(total, pieces);
  await Promise.all([down.carry(total, pieces), up.carry(total, pieces)]);
}

const pieces: readonly Scenario[] = loads.flatMap(({ what, recordBytes, ...load }) =>
  [clear, secured].map((shape) => ({
    name: `carries pieces of ${what}, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const passage = await inStride(rig, {
        ...shape,
        ...(recordBytes === undefined ? {} : { recordBytes }),
      });
      await allWays(passage, load);
      await passage.finish();
    },
  })),
);

const often: Stalls = { everyBytes: 200_000, forTurns: 12 };
const seldom: Stalls = { everyBytes: 6_000_000, forTurns: 500 };

const manners: readonly Scenario[] = [
  { shape: file, stalls: often, total: 8_000_000, what: 'that stall often' },
  {
    shape: { ...file, recordBytes: 1400 },
    stalls: often,
    total: 4_000_000,
    what: 'that stall often, of small records',
  },
  { shape: clear, stalls: seldom, total: 24_000_000, what: 'that stall for long' },
  { shape: secured, stalls: seldom, total: 24_000_000, what: 'that stall for long' },
  { shape: { ...file, sipBytes: 611 }, stalls: null, total: 2_000_000, what: 'of which one sips' },
  {
    shape: { ...file, sipBytes: 4099 },
    stalls: { everyBytes: 100_000, forTurns: 5 },
    total: 4_000_000,
    what: 'of which one sips and stalls',
  },
  { shape: { ...clear, sipBytes: 1021 }, stalls: null, total: 4_000_000, what: 'of which one sips' },
].map(({ shape, stalls, total, what }) => ({
  name: `carries to readers ${what}, ${shape.client} and ${shape.upstream}`,
  run: async (rig: Rig) => {
    const passage = await rig.relayed(shape);
    for (const line of passage.lines) line.stalls = stalls;
    await allWays(passage, { ...mixed, total });
    await passage.finish();
  },
}));

/** What the system may take in both legs for one direction, with a margin. */
const systemBytes = 64_000_000;
/** What the relay may hold of one session. */
const relayBytes = 1_048_576;

function bounded(passage: Passage): void {
  if (passage.held() <= relayBytes) return;
  throw new Error(`${passage.name}: the relay holds ${passage.held()} bytes for readers that read nothing`);
}

const full: readonly Scenario[] = [clear, secured, file].map((shape) => ({
  name: `holds little for readers that read nothing, and goes on where they do, ${shape.client} and ${shape.upstream}`,
  run: async (rig: Rig) => {
    const passage = await rig.passage(shape);
    const { up, down } = passage;
    down.hold();
    passage.start();
    await down.stuck(systemBytes);
    // The other direction goes its way.
    await up.carry(2_000_000, mixed);
    bounded(passage);
    down.go();
    await down.arrived();
    up.hold();
    await up.stuck(systemBytes);
    await down.carry(2_000_000, mixed);
    bounded(passage);
    down.hold();
    await down.stuck(2 * systemBytes);
    await turns(100);
    bounded(passage);
    up.go();
    down.go();
    await Promise.all([up.arrived(), down.arrived()]);
    await passage.finish();
  },
}));

/** Bytes that are there before the relay: none, few, as much as is held of a client, more than a stream buffers. */
const before: readonly Scenario[] = [clear, secured, file].flatMap((shape) =>
  [false, true].map((ends) => ({
    name: `begins with what lay there${ends ? ', ends included' : ''}, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      for (const bytes of [1, 4096, 4097, 16_385, 65_537, 700_000]) {
        const passage = await rig.passage(shape, ({ lines }) => {
          for (const line of lines) {
            line.burst(bytes, 30_000);
            if (ends) line.end();
          }
        });
        await turns(30);
        passage.start();
        if (!ends) await Promise.all(passage.lines.map((line) => line.carry(500_000, mixed)));
        await (ends ? passage.finished() : passage.finish());
      }
    },
  })),
);

/**
 * Takes the server's bytes from `from` to `to` out and is done at `over`; until then it holds the last few bytes back,
 * as one does that follows lines.
 */
class Cutter implements RelayFilter {
  done = false;
  seen = 0;
  #at = 0;
  #held = Buffer.alloc(0);
  readonly #range: { readonly from: number; readonly to: number; readonly over: number };

  constructor(range: { readonly from: number; readonly to: number; readonly over: number }) {
    this.#range = range;
  }

  downstream(chunk: Uint8Array): Uint8Array {
    const { from, to, over } = this.#range;
    const start = this.#at;
    const within = (offset: number): number => Math.min(Math.max(offset - start, 0), chunk.length);
    this.#at += chunk.length;
    this.done = this.#at >= over;
    const left = [this.#held, chunk.subarray(0, within(from)), chunk.subarray(within(to))];
    const passed = Buffer.concat(left);
    const kept = this.done ? 0 : Math.min(5, passed.length);
    this.#held = passed.subarray(passed.length - kept);
    return passed.subarray(0, passed.length - kept);
  }

  upstream(chunk: Uint8Array): Uint8Array {
    this.seen += chunk.length;
    return chunk;
  }

  flush(): Uint8Array {
    this.done = true;
    return this.#held;
  }
}

const taken = Buffer.alloc(333, '*');

const filtered: readonly Scenario[] = [clear, secured].map((shape) => ({
  name: `lets a filter cut, and all the rest through, ${shape.client} and ${shape.upstream}`,
  run: async (rig: Rig) => {
    for (const [from, behind] of [
      [0, 0],
      [1, 1],
      [4095, 17],
      [16_384, 16_384],
      [70_001, 99_999],
    ] as const) {
      const to = from + taken.length;
      const passage = await rig.passage(shape);
      const { up, down } = passage;
      passage.start({ filter: new Cutter({ from, to, over: to + behind }) });
      down.burst(from, 3_000);
      down.aside(taken);
      // Behind it in the same turn, so that it is done in the middle of a piece.
      down.burst(1_500_000, 70_000);
      up.burst(1_500_000, 30_000);
      await Promise.all([down.arrived(), up.arrived()]);
      await allWays(passage, { ...mixed, total: 1_000_000 });
      await passage.finish();
    }
  },
}));

const opening: readonly Scenario[] = [
  {
    name: 'passes on what a filter holds when the server ends',
    run: async (rig) => {
      const passage = await rig.relayed(clear, { filter: new Cutter({ from: 0, to: 0, over: 1_000_000 }) });
      passage.down.burst(99_999, 10_000);
      passage.down.end(1);
      passage.up.end(70_000);
      await passage.finished();
    },
  },
  {
    name: 'carries both ways behind a login that the login filter followed',
    run: async (rig) => {
      const passage = await rig.relayed(clear, {
        filter: new LoginFilter({ protocol: 'imap', clientTls: 'off' }),
      });
      const { up, down } = passage;
      up.say('a CAPABILITY\r\n');
      await up.arrived();
      down.say(
        '* CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256-PLUS AUTH=PLAIN\r\na OK done\r\n',
        '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na OK done\r\n',
      );
      await down.arrived();
      up.say('b LOGIN "user" "secret"\r\n');
      up.burst(900_000, 50_000);
      down.say('b OK logged in\r\n');
      down.burst(900_000, 50_000);
      await Promise.all([up.arrived(), down.arrived()]);
      await allWays(passage, { ...mixed, total: 2_000_000 });
      await passage.finish();
    },
  },
  {
    name: 'holds the first bytes back until they are known, and carries all behind them',
    run: async (rig) => {
      for (const needed of [2, 100, 20_000]) {
        const passage = await rig.relayed(clear, {
          firstBytes: (held) => (held.length < needed ? 'undecided' : 'mail'),
        });
        const { up } = passage;
        await up.send(needed - 1, { sizes: [needed > 1000 ? 977 : 1], apart: true });
        await turns(20);
        if (up.received > 0) throw new Error('bytes were sent on before they were known');
        up.burst(1_500_000, 30_000);
        await up.arrived();
        await allWays(passage, { ...mixed, total: 1_000_000 });
        await passage.finish();
      }
    },
  },
  {
    name: 'sends first bytes on that were undecided when the client ended, and counts them',
    run: async (rig) => {
      const passage = await rig.relayed(clear, { firstBytes: () => 'undecided' });
      passage.up.end(50);
      passage.down.end(500_000);
      await passage.finished();
    },
  },
];

export const carriage: readonly Scenario[] = [
  ...pieces,
  ...manners,
  ...full,
  ...before,
  ...filtered,
  ...opening,
];
