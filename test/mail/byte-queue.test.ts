import { describe, expect, it } from 'vitest';
import { ByteQueue } from '../../src/mail/byte-queue.ts';
import { latin1 } from './transcript.ts';

const holding = (...texts: readonly string[]): ByteQueue => {
  const queue = new ByteQueue();
  for (const text of texts) queue.push(Buffer.from(text, 'latin1'));
  return queue;
};

describe('bytes that wait for the rest of their line', () => {
  it('are found from the front, and none behind the end', () => {
    const queue = holding('xab');
    queue.drop(1);
    expect([-1, 0, 1, 2, 300].map((index) => queue.at(index)).slice(1)).toEqual([0x61, 0x62, NaN, NaN]);
    expect(new ByteQueue().at(0)).toBeNaN();
  });

  it('have their line feeds counted from the front, from where it is asked on', () => {
    const queue = holding('xx\na\n');
    queue.drop(2);
    expect([0, 1, 2, 3].map((from) => queue.lineFeedFrom(from))).toEqual([0, 2, 2, -1]);
    expect(holding('abc').lineFeedFrom(0)).toBe(-1);
  });

  it('are not found again behind what was taken out', () => {
    const queue = holding('a\nbc\n');
    expect(latin1(queue.take(2))).toBe('a\n');
    expect(latin1(queue.take())).toBe('bc\n');
    expect([queue.length, queue.lineFeedFrom(0), queue.at(0)]).toEqual([0, -1, NaN]);
  });

  it('come out as they went in, however they are pushed, taken and dropped', () => {
    const text = 'abcdefghij'.repeat(100);
    const queue = new ByteQueue();
    let out = '';
    for (let at = 0; at < text.length; at += 10) {
      queue.push(Buffer.from(text.slice(at, at + 10)));
      if (at % 30 === 0) out += latin1(queue.take(7));
    }
    expect(queue.length).toBe(text.length - out.length);
    expect(queue.drop(5)).toBe(5);
    out += `${text.slice(out.length, out.length + 5)}${latin1(queue.take())}`;
    expect(out).toBe(text);
    expect(queue.drop(5)).toBe(0);
  });

  it('are copies: what is taken is not what is held, nor is what was pushed', () => {
    const pushed = Buffer.from('secret');
    const queue = new ByteQueue();
    queue.push(pushed);
    pushed.fill(0);
    const taken = queue.take(3);
    queue.push(Buffer.from('xyz'));
    expect(latin1(taken)).toBe('sec');
    expect(latin1(queue.take())).toBe('retxyz');
  });
});
