// Many sessions in one process: what one of them carries must never turn up in another, though they share buffers, wake
// in one turn, hold writes that are pending, and end, break and vanish while the others go on.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { clear, file, mixed, secured, type Scenario } from './exact-carriage.ts';
import type { Line } from './exact-line.ts';
import { turns } from './exact-patience.ts';
import type { Passage, Rig } from './exact-rig.ts';
import type { Shape } from './exact-scene.ts';

const shapes: readonly Shape[] = [
  file,
  clear,
  { ...file, upstream: 'starttls' },
  secured,
  { ...file, sipBytes: 777 },
  { ...secured, upstream: 'starttls', recordBytes: 1400 },
  { ...file, recordBytes: 4096 },
];

const shapeOf = (index: number): Shape => shapes[index % shapes.length] ?? file;

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixing = Math.imul(state ^ (state >>> 15), 1 | state);
    mixing = (mixing + Math.imul(mixing ^ (mixing >>> 7), 61 | mixing)) ^ mixing;
    return ((mixing ^ (mixing >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const many = (rig: Rig, count: number): Promise<readonly Passage[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => rig.relayed(shapeOf(index))));

const arrived = (passages: readonly Passage[]): Promise<unknown> =>
  Promise.all(passages.flatMap(({ lines }) => lines.map((line) => line.arrived())));

/** All say something in one turn, over and over: whatever is shared in a turn is used by all of them. */
async function lockstep(rig: Rig): Promise<void> {
  const passages = await many(rig, 21);
  const sizes = [1, 200, 5, 17_000, 64, 3_000, 130, 66_000];
  for (let round = 0; round < 160; round += 1) {
    for (const [index, passage] of passages.entries()) {
      // Some fall silent for a while and wake again.
      if ((round + index) % 7 > 4) continue;
      const bytes = sizes[(round * 3 + index) % sizes.length] ?? 1;
      if (round % 3 !== 1) passage.down.burst(bytes, bytes);
      if (round % 3 !== 0) passage.up.burst(bytes, bytes);
    }
    await turns(round % 4);
    if (round % 16 === 15) await arrived(passages);
  }
  await Promise.all(passages.map((passage) => passage.finish()));
}

/** Some hold writes that are pending, for as long as others carry much, come, end and break. */
async function waiting(rig: Rig): Promise<void> {
  const full = await Promise.all(
    [
      file,
      { ...file, upstream: 'starttls' } as const,
      file,
      file,
      file,
      file,
      file,
      file,
      clear,
      secured,
    ].map((shape) => rig.relayed(shape)),
  );
  for (const { down } of full) down.hold();
  await Promise.all(full.map(({ down }) => down.stuck(64_000_000)));
  const heldUp = await Promise.all([rig.relayed(clear), rig.relayed(secured), rig.relayed(file)]);
  for (const { up } of heldUp) up.hold();
  await Promise.all(heldUp.map(({ up }) => up.stuck(64_000_000)));

  const busy = await many(rig, 7);
  for (const { lines } of busy) for (const line of lines) line.stalls = { everyBytes: 400_000, forTurns: 3 };
  const passing = async (index: number): Promise<void> => {
    for (let turn = index; turn < index + 12; turn += 1) await shortLived(rig, turn);
  };
  await Promise.all([
    ...busy.flatMap(({ lines }) => lines.map((line) => line.carry(4_000_000, mixed))),
    passing(0),
    passing(100),
  ]);
  // Those that hold up go on upwards only, and the other way round, until they wake.
  await Promise.all(full.map(({ up }) => up.carry(100_000, mixed)));
  for (const { up } of heldUp) up.go();
  for (const { down } of full) down.go();
  await arrived([...full, ...heldUp, ...busy]);
  await Promise.all([...full, ...heldUp, ...busy].map((passage) => passage.finish()));
}

/** A session that says a little and ends, or breaks with writes pending. */
async function shortLived(rig: Rig, turn: number): Promise<void> {
  const control = new AbortController();
  const passage = await rig.relayed(shapeOf(turn), { signal: control.signal });
  const { up, down, scene } = passage;
  await Promise.all([down.carry(3_000, mixed), up.carry(100, mixed)]);
  if (turn % 4 === 0) {
    down.end(70_000);
    up.end(3);
    return passage.finished();
  }
  if (turn % 2 === 0) down.hold();
  down.burst(900_000, 65_536);
  up.burst(300_000, 65_536);
  await turns(turn % 9);
  leave({ passage, abort: () => control.abort() }, turn % 3);
  await gone(passage);
  for (const socket of [scene.user, scene.userRaw, scene.host, scene.hostRaw]) socket.destroy();
}

interface Leaving {
  readonly passage: Passage;
  readonly abort: () => void;
}

function leave({ passage: { scene }, abort }: Leaving, how: number): void {
  if (how === 0) scene.hostRaw.resetAndDestroy();
  else if (how === 1) abort();
  else scene.userRaw.destroy();
}

/** Over, however; what arrived is how it began, and no more was delivered than was counted. */
async function gone(passage: Passage): Promise<void> {
  for (const line of passage.lines) {
    line.go();
    line.end();
  }
  await passage.over();
  await turns(3);
  for (const [line, counted] of [
    [passage.up, passage.counts.up],
    [passage.down, passage.counts.down],
  ] as const) {
    line.exact();
    if (line.received > counted)
      throw new Error(`${line.name}: ${line.received} arrived, ${counted} counted`);
  }
}

const members = 24;
const rounds = 110;
const mostOutstanding = 2_500_000;

/** Everything at random: bursts, readers that stop and go on, sessions that end, break, vanish and are replaced. */
class Campaign {
  readonly #rig: Rig;
  readonly #roll: () => number;
  readonly #members: Leaving[] = [];
  readonly #held = new Set<Line>();
  readonly #leaving: Promise<void>[] = [];
  #opened = 0;

  constructor(rig: Rig, seed: number) {
    this.#rig = rig;
    this.#roll = dice(seed);
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: members }, () => this.#open()));
    for (let round = 0; round < rounds; round += 1) {
      for (const member of this.#members.slice()) this.#act(member);
      await turns(this.#below(6));
      for (const { passage } of this.#members) for (const line of passage.lines) line.exact();
      if (round % 22 === 21) await this.#together();
      while (this.#members.length < members) await this.#open();
    }
    await this.#together();
    await Promise.all(this.#members.map(({ passage }) => passage.finish()));
    await Promise.all(this.#leaving);
  }

  async #open(): Promise<void> {
    const control = new AbortController();
    const passage = await this.#rig.relayed(shapeOf((this.#opened += 1)), { signal: control.signal });
    this.#members.push({ passage, abort: () => control.abort() });
  }

  /** All readers read until all is there. */
  async #together(): Promise<void> {
    for (const line of this.#held) line.go();
    this.#held.clear();
    await arrived(this.#members.map(({ passage }) => passage));
  }

  #act(member: Leaving): void {
    const { up, down } = member.passage;
    const roll = this.#roll();
    if (roll < 0.3) this.#burst(down);
    else if (roll < 0.5) this.#burst(up);
    else if (roll < 0.58) this.#turn(down);
    else if (roll < 0.62) this.#turn(up);
    else if (roll > 0.985) this.#leave(member);
  }

  #burst(line: Line): void {
    if (line.sent - line.received > mostOutstanding) return;
    const most = [300, 40_000, 40_000, 500_000][this.#below(4)] ?? 1;
    const bytes = 1 + this.#below(most);
    line.burst(bytes, 1 + Math.max(bytes >> 6, this.#below(bytes)));
  }

  /** Stops the reader, or lets it go on. */
  #turn(line: Line): void {
    if (this.#held.delete(line)) line.go();
    else {
      this.#held.add(line);
      line.hold();
    }
  }

  #leave(member: Leaving): void {
    this.#members.splice(this.#members.indexOf(member), 1);
    const { passage } = member;
    for (const line of passage.lines) if (this.#held.delete(line)) line.go();
    const how = this.#below(4);
    const over = how === 3 ? passage.finish() : this.#broken(member, how);
    // Looked at in the end; a fault of one that has left must not end the process before.
    over.catch(() => undefined);
    this.#leaving.push(over);
  }

  #broken(member: Leaving, how: number): Promise<void> {
    leave(member, how);
    return gone(member.passage);
  }

  #below(limit: number): number {
    return Math.floor(this.#roll() * limit);
  }
}

const mebibyte = 1_048_576;
/** Sessions after which no more memory may be held than before them, but for a little. */
const forgotten = 80;

/** Buffers that were out when a session broke come back, or are let go. */
async function givesBack(rig: Rig): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const settled = async (sessions: number): Promise<number> => {
    for (let turn = 0; turn < sessions; turn += 1) await shortLived(rig, 1 + turn);
    rig.close();
    for (let pass = 0; pass < 5; pass += 1) {
      await turns(20);
      collect();
    }
    return process.memoryUsage().arrayBuffers;
  };
  const before = await settled(30);
  const grown = (await settled(forgotten)) - before;
  if (grown > 3 * mebibyte) throw new Error(`${forgotten} sessions that are over hold ${grown} bytes`);
}

export const crowd: readonly Scenario[] = [
  { name: 'keeps sessions apart that all speak in one turn, fall silent and wake', run: lockstep },
  {
    name: 'keeps what is pending for some, whatever others carry and however they end',
    run: waiting,
    unpoisoned: true,
  },
  { name: 'keeps sessions apart that do anything at any time', run: (rig) => new Campaign(rig, 1).run() },
  {
    name: 'keeps sessions apart that do anything at any time, in memory that stays as it is',
    run: (rig) => new Campaign(rig, 2).run(),
    unpoisoned: true,
    ofMemory: true,
  },
  {
    name: 'gives back what sessions held that broke with writes pending',
    run: givesBack,
    ofMemory: true,
  },
];
