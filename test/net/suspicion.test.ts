import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Suspicion } from '../../src/net/suspicion.ts';
import { FakeMachine } from './machine.ts';

const everyMs = 5_000;
let machine: FakeMachine;
let suspicion: Suspicion;
let raised: number[];

beforeEach(() => {
  vi.useFakeTimers();
  machine = new FakeMachine();
  suspicion = new Suspicion({ everyMs, ...machine.options });
  raised = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const listen = (): (() => void) => suspicion.listen((unseenMs) => raised.push(unseenMs));

/** Both clocks go on for some looks. */
function pass(looks: number): void {
  for (let look = 0; look < looks; look += 1) {
    machine.clock += everyMs;
    vi.advanceTimersByTime(everyMs);
  }
}

/** The wall clock goes on, the timers stand still. */
const sleep = (ms: number): void => void (machine.clock += ms);

type Row = readonly [name: string, mac: string, address: string];
const card: Row = ['wlan0', '02:00:00:00:00:01', '192.0.2.10'];

describe('suspicion', () => {
  it('reads the addresses once for sessions that follow one another, and stops looking when nobody listens', () => {
    for (let session = 0; session < 5; session += 1) listen()();
    expect(machine.looks).toBe(1);
    const release = listen();
    pass(1);
    expect(machine.looks).toBe(2);
    release();
    pass(1);
    expect(vi.getTimerCount()).toBe(0);
    pass(3);
    expect(machine.looks).toBe(2);
  });

  it('suspects nothing that began after a sleep in which nobody listened', () => {
    listen()();
    sleep(3_600_000);
    listen();
    pass(1);
    expect(raised).toEqual([]);
  });

  const changes: readonly (readonly [what: string, rows: readonly Row[], suspects: boolean])[] = [
    ['nothing changed', [card], false],
    ['an address came', [card, ['tun0', '00:00:00:00:00:00', '10.8.0.2']], true],
    ['the address changed', [['wlan0', card[1], '198.51.100.7']], true],
    ['every address went', [], true],
    ['the same address is on another interface', [['eth0', card[1], card[2]]], true],
    ['the same address belongs to another MAC', [['wlan0', '02:00:00:00:00:99', card[2]]], true],
    ['an IPv6 address came', [card, ['wlan0', card[1], '2001:db8::7']], true],
    ['a container brought a link-local address', [card, ['veth7', '02:00:00:00:00:07', 'fe80::42:1']], false],
    [
      'an interface without DHCP took a link-local address',
      [card, ['eth1', '02:00:00:00:00:08', '169.254.3.4']],
      false,
    ],
    [
      'a loopback address came and the order changed',
      [card, ['lo', '00:00:00:00:00:00', '127.0.0.9']],
      false,
    ],
  ];
  it.each(changes)('when %s', (_, rows, suspects) => {
    machine.rows = [card];
    listen();
    pass(2);
    machine.rows = rows;
    pass(3);
    expect(raised).toEqual(suspects ? [everyMs] : []);
  });

  it('is raised once after a sleep, not for a slow look, and not when the clock is set back', () => {
    listen();
    sleep(20_000);
    pass(1);
    expect(raised).toEqual([]);
    sleep(20_001);
    pass(3);
    expect(raised).toEqual([everyMs]);
    sleep(-3_600_000);
    pass(3);
    expect(raised).toEqual([everyMs]);
  });

  it('is raised by a check after a sleep, before the look that is due, and then once', () => {
    listen();
    pass(1);
    vi.advanceTimersByTime(1_000);
    suspicion.check();
    expect(raised).toEqual([]);
    sleep(60_000);
    suspicion.check();
    expect(raised).toEqual([1_000]);
    suspicion.check();
    pass(3);
    expect(raised).toEqual([1_000]);
  });

  it('is not raised for addresses that cannot be read for a while, and is for what changed meanwhile', () => {
    listen();
    machine.rows = null;
    pass(2);
    machine.rows = [card];
    pass(2);
    expect(raised).toEqual([]);
    machine.rows = null;
    pass(2);
    machine.at('198.51.100.7');
    pass(2);
    expect(raised).toEqual([everyMs]);
  });

  it('begins without addresses where they cannot be read at first', () => {
    machine.rows = null;
    listen();
    pass(1);
    machine.at('192.0.2.10');
    pass(1);
    expect(raised).toEqual([]);
    machine.at('198.51.100.7');
    pass(1);
    expect(raised).toEqual([everyMs]);
  });

  it('looks at nothing while nobody listens, and at what is there when somebody comes again', () => {
    const stop = listen();
    const release = suspicion.watch('192.0.2.10', () => raised.push(Number.NaN));
    pass(1);
    stop();
    pass(1);
    expect(machine.looks).toBe(3);
    release();
    machine.at('198.51.100.7');
    sleep(3_600_000);
    pass(3);
    expect(machine.looks).toBe(3);
    listen();
    pass(1);
    suspicion.check();
    expect(raised).toEqual([]);
  });
});

describe('a watched address', () => {
  let gone: number;
  beforeEach(() => {
    gone = 0;
  });
  const watch = (address: string): (() => void) => suspicion.watch(address, () => (gone += 1));

  it('is gone when two looks in a row miss it', () => {
    watch('192.0.2.10');
    pass(3);
    machine.at('198.51.100.7');
    pass(1);
    expect(gone).toBe(0);
    pass(1);
    expect(gone).toBe(1);
  });

  it('is not gone when it is back at the next look, or stays beside a new one', () => {
    watch('192.0.2.10');
    for (let round = 0; round < 3; round += 1) {
      machine.at();
      pass(1);
      machine.at('198.51.100.7', '192.0.2.10');
      pass(2);
    }
    expect(gone).toBe(0);
  });

  it('is not gone while addresses cannot be read', () => {
    watch('192.0.2.10');
    machine.rows = null;
    pass(4);
    expect(gone).toBe(0);
  });

  it('is not gone when it was never seen here, like the other addresses of loopback', () => {
    watch('127.0.0.2');
    watch('::ffff:192.0.2.10');
    pass(4);
    expect(gone).toBe(0);
  });

  it('is not told of any more when it was let go', () => {
    const release = watch('192.0.2.10');
    listen();
    machine.at();
    pass(1);
    release();
    pass(2);
    expect(gone).toBe(0);
  });

  it('is not gone for a check that comes just before the look that is due', () => {
    watch('192.0.2.10');
    vi.advanceTimersByTime(everyMs - 1);
    machine.at();
    sleep(60_000);
    suspicion.check();
    vi.advanceTimersByTime(everyMs - 1);
    expect(gone).toBe(0);
    machine.at('192.0.2.10');
    pass(2);
    expect(gone).toBe(0);
  });
});
