import { expect, it } from 'vitest';
import { noRates, withSessions } from '../../../src/admin/dashboard/data/rates.ts';
import { messageReader, type Message } from '../../../src/admin/dashboard/data/sse.ts';
import { pageWorld } from '../../lab/page-world.ts';

const stream =
  ': hi\n\nid: 7\nevent: judged\ndata: {"a":1}\n\nevent: x\r\ndata: one\r\ndata: two\r\n\r\nid: 9\n\ndata:bare\n\ndata: cut';
const expected: readonly Message[] = [
  { id: '7', event: 'judged', data: '{"a":1}' },
  { id: null, event: 'x', data: 'one\ntwo' },
  { id: null, event: 'message', data: 'bare' },
];

it('reads an event stream whole and character by character alike', () => {
  expect(messageReader()(stream)).toEqual(expected);
  const read = messageReader();
  expect(stream.split('').flatMap((character) => read(character))).toEqual(expected);
});

it('gives up on a message that never ends', () => {
  const read = messageReader();
  expect(() => {
    for (let times = 0; times < 30; times += 1) read(`data: ${'x'.repeat(10_000)}\n`);
  }).toThrow(RangeError);
});

const now = Date.parse('2026-11-23T14:05:00Z');
const { sessions } = pageWorld({ endpoints: 9, history: 0, now });

it('counts the bytes between two looks, those of new sessions too', () => {
  const [first, second] = sessions;
  if (first === undefined || second === undefined) throw new Error('no sessions');
  const at = (bytes: number): typeof first => ({ ...first, bytesUp: 0, bytesDown: bytes });
  const fresh = { ...second, bytesUp: 100, bytesDown: 900 };
  const looked = withSessions(withSessions(noRates, [at(5000)], now), [at(9000), fresh], now + 2000);
  expect(looked.samples).toEqual([{ at: now + 2000, sessions: 2, rate: 2500 }]);
});

it('begins anew after a gap, and keeps a bounded number of samples', () => {
  let rates = withSessions(noRates, sessions, now);
  for (let look = 1; look < 400; look += 1) rates = withSessions(rates, sessions, now + look * 2000);
  expect(rates.samples.length).toBe(150);
  expect(withSessions(rates, sessions, now + 1_000_000).samples).toEqual([]);
});
