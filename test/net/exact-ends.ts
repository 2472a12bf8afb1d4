// What must hold at the ends of a session: a half that ends long before the other, an end right behind data, breaks in
// mid-flight, deadlines, doubt. The relay has carried enough before each that it is in its stride.

import { Suspicion } from '../../src/net/suspicion.ts';
import { clear, file, inStride, mixed, secured, type Scenario } from './exact-carriage.ts';
import type { Line } from './exact-line.ts';
import { turns } from './exact-patience.ts';
import type { Passage, Rig } from './exact-rig.ts';

type Way = 'up' | 'down';
const opposite = { up: 'down', down: 'up' } as const;
const ways: readonly Way[] = ['up', 'down'];
const shapes = [clear, secured, file];

const halves: readonly Scenario[] = shapes.flatMap((shape) =>
  ways.map((way) => ({
    name: `carries ${way} for long when the other way has ended, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const passage = await inStride(rig, shape);
      const [line, other] = [passage[way], passage[opposite[way]]];
      other.end(10_000);
      await other.whole();
      await line.carry(4_000_000, mixed);
      line.stalls = { everyBytes: 300_000, forTurns: 20 };
      await line.carry(4_000_000, mixed);
      line.hold();
      await line.stuck(64_000_000);
      line.go();
      await line.carry(10_000, { sizes: [7], apart: true });
      line.end(123_457);
      await passage.finished();
    },
  })),
);

/** Around what a TLS record, a read of the system, and a buffer of a power of two hold. */
const lasts = [
  0, 1, 2, 100, 16_383, 16_384, 16_385, 32_768, 49_153, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073,
  262_143, 262_144, 262_145, 1_048_576, 1_048_577,
];

const behind: readonly Scenario[] = shapes.map((shape) => ({
  name: `passes on an end right behind data, of readers that read and that do not yet, ${shape.client} and ${shape.upstream}`,
  run: async (rig: Rig) => {
    for (const [index, bytes] of lasts.entries()) {
      const passage = await rig.relayed(shape);
      const { up, down, lines } = passage;
      if (index % 2 === 0) await Promise.all(lines.map((line) => line.carry(150_000, { sizes: [9_999] })));
      if (index % 3 === 0) for (const line of lines) line.hold();
      down.end(bytes);
      up.end(lasts.at(-1 - index));
      await turns(index % 5);
      for (const line of lines) line.go();
      await passage.finished();
    }
  },
}));

/** Small enough that the relay goes on reading with so much of it pending. */
const stepBytes = 4_096;

const pending: readonly Scenario[] = shapes.flatMap((shape) =>
  ways.map((way) => ({
    name: `lets out what is pending ${way} when both sides have ended, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const passage = await inStride(rig, shape);
      const line = passage[way];
      const target = way === 'down' ? passage.scene.client : passage.scene.upstream;
      const carried = (): number => passage.counts[way] - before;
      line.hold();
      const before = passage.counts[way] - line.sent;
      while (target.writableLength === 0 && line.sent < 64_000_000) {
        line.burst(stepBytes, stepBytes);
        // Each by itself: several that arrive together are more than a stream buffers, and the relay stops reading.
        for (let turn = 0; turn < 5_000 && carried() < line.sent; turn += 1) await turns(1);
      }
      line.end();
      passage[opposite[way]].end();
      await passage.overAs('ended');
      await turns(50);
      line.go();
      await passage.finished();
    },
  })),
);

/** The socket whose reset breaks what goes `way`, and on which side the relay finds the break. */
const breaker = (
  { scene }: Passage,
  way: Way,
): { readonly reset: () => void; readonly side: 'client' | 'upstream' } =>
  way === 'down'
    ? { reset: () => scene.hostRaw.resetAndDestroy(), side: 'upstream' }
    : { reset: () => scene.userRaw.resetAndDestroy(), side: 'client' };

const resets: readonly Scenario[] = [clear, secured].flatMap((shape) =>
  ways.map((way) => ({
    name: `passes on a reset behind what went ${way} as a reset, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const passage = await inStride(rig, shape);
      const { reset, side } = breaker(passage, way);
      reset();
      await passage[way].broken();
      const end = await passage.overAs('broken');
      if (end.state === 'broken' && end.side !== side) throw new Error(`${passage.name}: ${end.side} broke`);
      await passage[way].whole().then(
        () => Promise.reject(new Error('a whole end')),
        () => undefined,
      );
      passage.counted();
    },
  })),
);

/**
 * With data still on its way, the reader reading it or not. The system may tell the relay of such a reset as of an end,
 * which it passes on; what arrived is how it began all the same, and the relay comes to its own end.
 */
const breaks: readonly Scenario[] = [clear, secured].flatMap((shape) =>
  ways.map((way) => ({
    name: `passes on an exact part of what went ${way} when a reset comes in mid-flight, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      for (const after of [0, 1, 3, 30]) {
        for (const held of [false, true]) {
          const passage = await inStride(rig, shape);
          const line = passage[way];
          if (held) line.hold();
          await line.carry(held ? 0 : 100_000, mixed);
          line.burst(held ? 12_000_000 : 3_000_000, 65_536);
          await turns(after);
          const { reset, side } = breaker(passage, way);
          reset();
          await turns(after);
          line.go();
          await line.over();
          passage[opposite[way]].end();
          const end = await passage.over();
          if (end.state === 'broken' && end.side === side) continue;
          if (!line.ended) throw new Error(`${passage.name}: ${JSON.stringify(end)}`);
        }
      }
    },
  })),
);

/** The reader goes while much is on its way to it, so that a write is pending in the relay. */
const leaves: readonly Scenario[] = [clear, secured].flatMap((shape) =>
  ways.map((way) => ({
    name: `tells the writer of what goes ${way} that its reader has gone, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const passage = await inStride(rig, shape);
      const line = passage[way];
      line.hold();
      await line.stuck(64_000_000);
      const { reset, side } = breaker(passage, opposite[way]);
      reset();
      const end = await passage.overAs('broken');
      if (end.state === 'broken' && end.side !== side) throw new Error(`${passage.name}: ${end.side} broke`);
      await passage[opposite[way]].broken();
    },
  })),
);

const others: readonly Scenario[] = [
  {
    name: 'leaves the client to another server where the first went without an answer, with all that it says meanwhile',
    run: async (rig) => {
      for (const shape of shapes) {
        const first = (await rig.passage(shape)).start({ isGoodbye: () => false });
        first.up.say('a LOGIN\r\n');
        await first.up.arrived();
        first.scene.hostRaw.resetAndDestroy();
        const end = await first.overAs('unanswered');
        if (end.state !== 'unanswered') throw new TypeError(end.state);
        const next = rig.between(first, await rig.passage(shape));
        next.words = { toClient: new Uint8Array(0), toUpstream: () => end.asked };
        next.up.hears(Buffer.from('a LOGIN\r\n'));
        next.up.burst(300_000, 20_000);
        await turns(20);
        next.start();
        await Promise.all(next.lines.map((line) => line.carry(1_000_000, mixed)));
        await next.finish();
      }
    },
  },
  {
    name: 'takes TLS that breaks right behind data for a break, and passes on none of what does not fit',
    run: async (rig) => {
      for (const shape of [clear, secured]) {
        const passage = await inStride(rig, shape);
        await passage.down.carry(300_000, mixed);
        // A record that fits no key.
        passage.scene.hostRaw.write(Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 7)]));
        await passage.down.broken();
        await passage.overAs('broken');
      }
    },
  },
  {
    name: 'takes TLS of the client that breaks for a break',
    run: async (rig) => {
      const passage = await inStride(rig, secured);
      passage.scene.userRaw.write(Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 7)]));
      await passage.up.broken();
      await passage.overAs('broken');
    },
  },
  {
    name: 'resets both sides when aborted in mid-flight, with writes pending both ways',
    run: async (rig) => {
      for (const shape of [clear, secured]) {
        const control = new AbortController();
        const passage = await inStride(rig, shape, { signal: control.signal });
        for (const line of passage.lines) line.hold();
        for (const line of passage.lines) await line.stuck(64_000_000);
        control.abort();
        await passage.overAs('aborted');
        for (const line of passage.lines) line.go();
        for (const line of passage.lines) await line.broken();
      }
    },
  },
  {
    name: 'is broken when its own socket is destroyed under it while a write is pending',
    run: async (rig) => {
      for (const leg of ['client', 'upstream'] as const) {
        const passage = await inStride(rig, clear);
        for (const line of passage.lines) line.hold();
        for (const line of passage.lines) await line.stuck(64_000_000);
        passage.scene[leg].destroy();
        const end = await passage.overAs('broken');
        if (end.state === 'broken' && end.side !== leg) throw new Error(`${end.side} is said to have broken`);
        for (const line of passage.lines) {
          line.go();
          line.exact();
        }
      }
    },
  },
];

/** So short that a test can wait for it, so long that a busy machine does not come near it while bytes go. */
const shortMs = 900;

/** The slowest that a live session moves: a few bytes, four times in each stretch. */
async function trickle(line: Line, forMs: number): Promise<void> {
  for (const since = performance.now(); performance.now() - since < forMs;) {
    await line.carry(3, { sizes: [1] });
    await new Promise((resolve) => setTimeout(resolve, shortMs / 8));
  }
}

const deadlines: readonly Scenario[] = [
  {
    name: 'ends a session that fell silent after much, and none that still says a little',
    run: async (rig) => {
      const passages = await Promise.all(
        [clear, secured, file].map((shape) => inStride(rig, shape, { idleMs: shortMs })),
      );
      const [speaks, listens, silent] = passages;
      if (speaks === undefined || listens === undefined || silent === undefined) throw new TypeError('three');
      await Promise.all([trickle(speaks.up, 2 * shortMs), trickle(listens.down, 2 * shortMs)]);
      await silent.overAs('idle');
      for (const passage of [speaks, listens]) {
        await passage.overAs('idle');
        passage.counted();
      }
    },
  },
  {
    name: 'ends a session that fell silent after one side had ended',
    run: async (rig) => {
      for (const way of ways) {
        const passage = await inStride(rig, clear, { idleMs: shortMs });
        passage[way].end(1000);
        await passage[way].whole();
        await trickle(passage[opposite[way]], 1.5 * shortMs);
        await passage.overAs('idle');
      }
    },
  },
  {
    name: 'breaks for a reader that takes nothing for too long after much, also where the writer has ended',
    run: async (rig) => {
      const cases = shapes.flatMap((shape) =>
        ways.flatMap((way) => [false, true].map((ends) => ({ shape, way, ends }))),
      );
      await Promise.all(
        cases.map(async ({ shape, way, ends }) => {
          const passage = await inStride(rig, shape, { drainMs: shortMs });
          const line = passage[way];
          line.hold();
          await line.stuck(64_000_000);
          if (ends) line.end();
          const end = await passage.overAs('broken');
          const side = way === 'down' ? 'client' : 'upstream';
          if (end.state !== 'broken' || end.side !== side || end.detail !== 'not drained')
            throw new Error(`${line.name}: ${JSON.stringify(end)}`);
          line.exact();
        }),
      );
    },
  },
  {
    name: 'goes on with a reader that takes a little, again and again, for longer than it may take nothing',
    run: async (rig) => {
      const passage = await inStride(rig, file, { drainMs: shortMs });
      const { down } = passage;
      down.hold();
      await down.stuck(64_000_000);
      for (const since = performance.now(); performance.now() - since < 2 * shortMs;) {
        await new Promise((resolve) => setTimeout(resolve, shortMs / 4));
        const reached = down.received + 700_000;
        down.burst(700_000, 65_536);
        down.go();
        await rig.patience.until(() => down.received >= reached, {
          moved: () => down.received,
          what: () =>
            `${down.received} of ${reached} bytes arrived, the relay ${passage.end?.state ?? 'goes on'}`,
        });
        down.hold();
      }
      down.go();
      await down.arrived();
      await passage.finish();
    },
  },
];

/** A clock by which the machine has just slept at each look. */
function slept(): Suspicion {
  let clock = 0;
  return new Suspicion({ everyMs: 5, now: () => (clock += 1_000_000) });
}

const doubts: readonly Scenario[] = [clear, secured].flatMap((shape) =>
  [false, true].map((answers) => ({
    name: `${answers ? 'keeps' : 'breaks with'} a suspect server that ${answers ? 'answers' : 'does not answer'} after much was carried, ${shape.client} and ${shape.upstream}`,
    run: async (rig: Rig) => {
      const suspicion = slept();
      const suspectMs = 600;
      const passage = await rig.relayed(shape, { suspicion, suspectMs });
      // First up, so that the server's word is the last.
      await passage.up.carry(1_000_000, mixed);
      await passage.down.carry(3_000_000, mixed);
      await new Promise((resolve) => suspicion.listen(() => resolve(null)));
      await passage.up.carry(10, { sizes: [10] });
      if (answers) {
        // For longer than the first answer might have taken.
        for (const since = performance.now(); performance.now() - since < 1.5 * suspectMs;) {
          await passage.down.carry(10, { sizes: [10] });
          await new Promise((resolve) => setTimeout(resolve, suspectMs / 8));
          await passage.up.carry(10, { sizes: [10] });
        }
        await passage.finish();
        return;
      }
      const end = await passage.overAs('broken');
      if (end.state !== 'broken' || end.side !== 'upstream' || !end.detail.startsWith('no answer'))
        throw new Error(`${passage.name}: ${JSON.stringify(end)}`);
    },
  })),
);

/** Whether it took what it was sent says nothing: the system takes that for a server that is gone. */
const insistent: Scenario = {
  name: 'breaks with a suspect server that does not answer, also where the client goes on to say a little',
  run: async (rig) => {
    const suspicion = slept();
    const passage = await inStride(rig, clear, { suspicion, suspectMs: shortMs });
    await passage.down.carry(1000, mixed);
    await new Promise((resolve) => suspicion.listen(() => resolve(null)));
    for (const since = performance.now(); passage.end === null;) {
      if (performance.now() - since > 4 * shortMs) throw new Error(`${passage.name}: the relay did not end`);
      await passage.up.send(10, { sizes: [10] });
      await new Promise((resolve) => setTimeout(resolve, shortMs / 6));
    }
    const end = await passage.overAs('broken');
    if (end.state !== 'broken' || !end.detail.startsWith('no answer'))
      throw new Error(`${passage.name}: ${JSON.stringify(end)}`);
  },
};

export const ends: readonly Scenario[] = [
  ...halves,
  ...behind,
  ...pending,
  ...resets,
  ...breaks,
  ...leaves,
  ...others,
  ...deadlines,
  ...doubts,
  insistent,
];
