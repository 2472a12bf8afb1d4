import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ask, Conversation, Line, TalkLimits } from '../../src/mail/conversation.ts';
import { Talk } from '../../src/mail/talk.ts';
import { anyCut, byteByByte, latin1, play, whole } from './transcript.ts';

const limits: TalkLimits = { lineBytes: 10, totalBytes: 40, lines: 4 };

/** Collects lines until one says `end`. */
function* collect(): Conversation<string[]> {
  const lines: string[] = [];
  yield { send: 'hello\r\n' };
  for (;;) {
    const line = yield { receive: 'line' };
    lines.push(line?.text ?? 'null');
    if (line?.text === 'end') return lines;
  }
}

function* skip(count: number): Conversation<string> {
  const nothing = yield { discard: count };
  const line = yield { receive: 'line' };
  return `${nothing === null ? 'null' : 'line'} ${line?.text ?? ''}`;
}

function* echo(): Conversation<void> {
  for (;;) yield { send: (yield { receive: 'line' })?.text ?? '' };
}

const rows = [
  {
    name: 'hands over lines without their line ends',
    given: 'one\r\n\r\nend\r\n',
    end: { result: ['one', '', 'end'] },
    left: '',
  },
  {
    name: 'returns what stands behind the last line',
    given: 'end\r\nmo\nre',
    end: { result: ['end'] },
    left: 'mo\nre',
  },
  { name: 'waits for the rest of a line', given: 'one\r\nen', end: 'waits', left: '' },
  { name: 'waits for the LF behind a CR', given: 'end\r', end: 'waits', left: '' },
  {
    name: 'takes a line of full length',
    given: '0123456789\r\nend\r\n',
    end: { result: ['0123456789', 'end'] },
    left: '',
  },
  {
    name: 'faults on a line one longer',
    given: '0123456789a\r\nend\r\n',
    end: { fault: 'line-too-long' },
    left: '',
  },
  {
    name: 'does not wait for the end of a long line',
    given: '0123456789a',
    end: { fault: 'line-too-long' },
    left: '',
  },
  { name: 'faults on a bare LF', given: 'one\nend\r\n', end: { fault: 'bad-line-end' }, left: '' },
  { name: 'faults on a bare CR', given: 'on\re\r\nend\r\n', end: { fault: 'bad-line-end' }, left: '' },
  { name: 'faults on two CR before an LF', given: 'end\r\r\n', end: { fault: 'bad-line-end' }, left: '' },
  { name: 'faults on a NUL', given: 'o\0e\r\nend\r\n', end: { fault: 'bad-line-end' }, left: '' },
  {
    name: 'takes as many lines as allowed',
    given: 'a\r\nb\r\nc\r\nend\r\n',
    end: { result: ['a', 'b', 'c', 'end'] },
    left: '',
  },
  {
    name: 'faults when it needs one more',
    given: 'a\r\nb\r\nc\r\nd\r\n',
    end: { fault: 'too-many-lines' },
    left: '',
  },
] as const;

describe('a talk', () => {
  for (const { name, given, end, left } of rows) {
    it(`${name}, whole and byte by byte`, () => {
      for (const cut of [whole, byteByByte])
        expect(play(collect(), [given], { limits, cut })).toEqual({ said: 'hello\r\n', end, left });
    });
  }

  it('counts the bytes of all lines and not those behind the last one', () => {
    const narrow = { ...limits, lines: 100, totalBytes: 12 };
    const good = play(collect(), ['a\r\nbb\r\nend\r\n', 'x'.repeat(100)], { limits: narrow, cut: whole });
    expect(good.end).toEqual({ result: ['a', 'bb', 'end'] });
    for (const cut of [whole, byteByByte])
      expect(play(collect(), ['a\r\nbbb\r\nend\r\n'], { limits: narrow, cut }).end).toEqual({
        fault: 'too-many-bytes',
      });
  });

  it('takes LF alone as a line end where told to, and a CR within a line as it is', () => {
    for (const cut of [whole, byteByByte])
      expect(
        play(collect(), ['a\nb\rc\nend\r\n'], { limits: { ...limits, lineEnds: 'lf' }, cut }).end,
      ).toEqual({
        result: ['a', 'b\rc', 'end'],
      });
  });

  it('still refuses a NUL and a line without end where LF is a line end', () => {
    const loose = { limits: { ...limits, lineEnds: 'lf' as const }, cut: byteByByte };
    expect(play(collect(), ['a\0\n'], loose).end).toEqual({ fault: 'bad-line-end' });
    expect(play(collect(), ['\r'.repeat(20)], loose).end).toEqual({ fault: 'line-too-long' });
  });

  it('skips bytes unread, line ends and NULs among them', () => {
    for (const cut of [whole, byteByByte])
      expect(play(skip(6), ['a\0\r\n\nbrest\r\nmore'], { limits, cut })).toEqual({
        said: '',
        end: { result: 'null rest' },
        left: 'more',
      });
  });

  it('faults at once when asked to skip more than the total allows, or no number', () => {
    for (const count of [41, -1, Number.NaN, Infinity])
      expect(play(skip(count), [], { limits, cut: whole }).end).toEqual({ fault: 'too-many-bytes' });
    expect(play(skip(38), [`${'x'.repeat(38)}\r\n`], { limits, cut: whole }).end).toEqual({
      result: 'null ',
    });
  });

  it('ends with a fault when the stream ends first, and keeps a result it had', () => {
    const open = new Talk(collect(), limits);
    expect(latin1(open.start().write)).toBe('hello\r\n');
    open.feed(Buffer.from('on'));
    expect(open.end()).toMatchObject({ state: 'fault', fault: 'ended' });
    const over = new Talk(collect(), limits);
    over.start();
    over.feed(Buffer.from('end\r\n'));
    expect(over.end()).toMatchObject({ state: 'done', result: ['end'] });
  });

  it('returns a reply that is due together with the fault', () => {
    const talk = new Talk(echo(), limits);
    talk.start();
    const turn = talk.feed(Buffer.from('one\r\nbad\n'));
    expect({ ...turn, write: latin1(turn.write) }).toEqual({
      state: 'fault',
      fault: 'bad-line-end',
      write: 'one',
    });
    expect(talk.feed(Buffer.from('two\r\n')).write).toHaveLength(0);
  });

  it('begins once, however often it is started', () => {
    const talk = new Talk(collect(), limits);
    expect(latin1(talk.start().write)).toBe('hello\r\n');
    expect(latin1(talk.start().write)).toBe('');
    expect(talk.feed(Buffer.from('one\r\nend\r\n'))).toMatchObject({ result: ['one', 'end'] });
    expect(talk.start()).toMatchObject({ state: 'done', result: ['one', 'end'] });
  });

  it('takes an empty line that comes first, ended by LF alone', () => {
    const talk = new Talk(collect(), { ...limits, lineEnds: 'lf' });
    talk.start();
    expect(talk.feed(Buffer.from('\n'))).toMatchObject({ state: 'open' });
    expect(talk.feed(Buffer.from('end\n'))).toMatchObject({ state: 'done', result: ['', 'end'] });
  });

  it('overwrites chunks and lines where told to, once the conversation went on', () => {
    const seen: Uint8Array[] = [];
    function* keep(): Generator<Ask, string, Line | null> {
      const first = yield { receive: 'line' };
      const text = first?.text ?? '';
      if (first) seen.push(first.bytes);
      yield { receive: 'line' };
      return text;
    }
    const wiping = new Talk(keep(), { ...limits, wiped: true });
    wiping.start();
    const chunk = Buffer.from('secret\r\n');
    wiping.feed(chunk);
    expect([...chunk]).toEqual(Array(8).fill(0));
    expect([...(seen[0] ?? [])]).toEqual(Array(6).fill(0));
    expect(wiping.feed(Buffer.from('\r\n'))).toMatchObject({ result: 'secret' });

    const keeping = new Talk(keep(), limits);
    keeping.start();
    const kept = Buffer.from('secret\r\n');
    keeping.feed(kept);
    expect(kept.toString()).toBe('secret\r\n');
    expect(latin1(seen[1] ?? Buffer.alloc(0))).toBe('secret');
  });

  it('comes to the same end however the bytes are cut', () => {
    const words = fc.constantFrom('a', 'bcd', 'end', '\r\n', '\r\n', '\n', '\r', '\0', '0123456789');
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), anyCut, (parts, cut) => {
        const one = play(collect(), [parts.join('')], { limits, cut: whole });
        expect(play(collect(), [parts.join('')], { limits, cut })).toEqual(one);
        expect(play(collect(), [parts.join('')], { limits, cut: byteByByte })).toEqual(one);
      }),
      { numRuns: 2000 },
    );
  });
});
