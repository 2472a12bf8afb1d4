import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Doubt } from '../../src/net/doubt.ts';
import { Suspicion } from '../../src/net/suspicion.ts';
import { FakeMachine } from './machine.ts';

const everyMs = 5_000;
const silent = 'no answer after sleep or address change';

/** A connected socket as far as a Doubt looks at it. */
class FakeRaw extends Socket {
  readonly delays: number[] = [];
  override readonly localAddress = '192.0.2.10';
  override setKeepAlive(_enable?: boolean, initialDelay = 0): this {
    this.delays.push(initialDelay);
    return this;
  }
}

let machine: FakeMachine;
let raw: FakeRaw;
let doubt: Doubt;
let dead: string[];

beforeEach(() => {
  vi.useFakeTimers();
  machine = new FakeMachine();
  raw = new FakeRaw();
  dead = [];
  doubt = new Doubt(raw, {
    suspicion: new Suspicion({ everyMs, ...machine.options }),
    answerMs: 10_000,
    dead: (detail) => {
      dead.push(detail);
      doubt.close();
    },
  });
});
afterEach(() => {
  doubt.close();
  vi.useRealTimers();
});

/** Both clocks go on. */
function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 1_000) {
    machine.clock += Math.min(left, 1_000);
    vi.advanceTimersByTime(Math.min(left, 1_000));
  }
}
const sleep = (): void => void (machine.clock += 3_600_000);
/** An address came; that of the connection stays. */
const move = (): void => machine.at('192.0.2.10', '198.51.100.7');

describe('after a sleep', () => {
  it('a connection that nobody uses is probed at once, for a while, and never given up by us', () => {
    pass(60_000);
    expect(raw.delays).toEqual([]);
    sleep();
    pass(everyMs);
    expect(raw.delays).toEqual([1_000]);
    pass(16_000);
    expect(raw.delays).toEqual([1_000, 60_000]);
    pass(3_600_000);
    expect(dead).toEqual([]);
  });

  it('a server that leaves the next bytes unanswered for ten seconds is given up', () => {
    sleep();
    pass(everyMs);
    pass(600_000);
    doubt.asked();
    pass(9_000);
    expect(dead).toEqual([]);
    pass(1_001);
    expect(dead).toEqual([silent]);
  });

  it('the client may be awake before the next look', () => {
    pass(1_000);
    sleep();
    doubt.asked();
    pass(10_001);
    expect(dead).toEqual([silent]);
  });

  it('a command that was under way when the machine fell asleep counts', () => {
    pass(1_000);
    doubt.asked();
    sleep();
    pass(everyMs + 10_000);
    expect(dead).toEqual([silent]);
  });

  it('one answer clears the server, and then it may take its time', () => {
    sleep();
    pass(everyMs);
    doubt.asked();
    pass(9_000);
    doubt.answered();
    doubt.asked();
    pass(600_000);
    expect(dead).toEqual([]);
  });

  it('a word of the server clears it before it was asked', () => {
    sleep();
    pass(everyMs);
    doubt.answered();
    doubt.asked();
    pass(600_000);
    expect(dead).toEqual([]);
  });

  it('what the client goes on saying does not put the end off, nor do further changes', () => {
    sleep();
    pass(everyMs);
    for (let second = 0; second < 10; second += 1) {
      doubt.asked();
      if (second === 4) move();
      pass(1_000);
    }
    pass(1);
    expect(dead).toEqual([silent]);
  });

  it('a server that goes on taking a long message is waited for, from the last time it took something', () => {
    sleep();
    pass(everyMs);
    doubt.asked();
    for (let piece = 0; piece < 20; piece += 1) {
      pass(5_000);
      doubt.took();
    }
    expect(dead).toEqual([]);
    pass(10_001);
    expect(dead).toEqual([silent]);
  });

  it('taking what is sent does not make an unsuspected server owe an answer', () => {
    doubt.asked();
    doubt.took();
    pass(600_000);
    expect(dead).toEqual([]);
  });
});

describe('after a change of addresses', () => {
  it.each([
    { askedAt: 6_000, what: 'what the client said since the look before counts', ends: [silent] },
    { askedAt: 2_000, what: 'what the client said before that does not, its server may be slow', ends: [] },
  ])('$what', ({ askedAt, ends }) => {
    pass(askedAt);
    doubt.asked();
    pass(7_000 - askedAt);
    move();
    pass(3_000 + 10_001);
    expect(dead).toEqual(ends);
  });
});

describe('a connection whose own address went', () => {
  it('is given up though nobody uses it', () => {
    machine.at('198.51.100.7');
    pass(everyMs);
    expect(dead).toEqual([]);
    pass(everyMs);
    expect(dead).toEqual(['this machine no longer has the address it was made from']);
  });

  it('is kept when the address only got company', () => {
    move();
    pass(everyMs + 16_000);
    expect(dead).toEqual([]);
    expect(raw.delays).toEqual([1_000, 60_000]);
  });
});
