import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import type { Conversation } from '../../src/mail/conversation.ts';
import { Talk } from '../../src/mail/talk.ts';
import { speak, type SpeakEnd } from '../../src/net/speak.ts';
import { drink, socketPair } from './peers.ts';

const never = new AbortController().signal;
const limits = { lineBytes: 64, totalBytes: 256, lines: 4 };
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Greets, takes one line, answers, and returns the line. */
function* oneLine(): Conversation<string> {
  yield { send: 'hello\r\n' };
  const line = yield { receive: 'line' };
  yield { send: 'bye\r\n' };
  return line?.text ?? '';
}

async function scene(): Promise<Awaited<ReturnType<typeof socketPair>>> {
  const pair = await socketPair();
  closers.push(pair.close);
  return pair;
}

const start = (
  socket: Parameters<typeof speak>[0],
  deadlineMs = 5000,
  signal = never,
): Promise<SpeakEnd<string>> => speak(socket, new Talk(oneLine(), limits), { deadlineMs, signal });

describe('speak', () => {
  it('writes what the talk says, returns its result and what came after its last line', async () => {
    const { near, far } = await scene();
    const seen = drink(far);
    const spoken = start(near);
    far.write('QUIT\r\nmore');
    expect(await spoken).toMatchObject({ state: 'done', result: 'QUIT' });
    near.end();
    expect((await seen).bytes.toString()).toBe('hello\r\nbye\r\n');
  });

  it('leaves bytes that come later in the socket, unread', async () => {
    const { near, far } = await scene();
    const spoken = start(near);
    far.write('QUIT\r\n');
    await spoken;
    far.write('later');
    far.end();
    expect((await drink(near)).bytes.toString()).toBe('later');
  });

  it.each([
    ['ended', (far: Awaited<ReturnType<typeof scene>>['far']) => far.end('no line end')],
    ['closed', (far: Awaited<ReturnType<typeof scene>>['far']) => far.resetAndDestroy()],
    ['line-too-long', (far: Awaited<ReturnType<typeof scene>>['far']) => far.write('x'.repeat(100))],
  ])('says %s when that is how it ended', async (fault, act) => {
    const { near, far } = await scene();
    const spoken = start(near);
    await once(far.resume(), 'data');
    act(far);
    expect(await spoken).toEqual({ state: 'fault', fault });
  });

  it('keeps one deadline however often the other side sends a byte', async () => {
    const { near, far } = await scene();
    const drip = setInterval(() => far.write('x'), 5);
    expect(await start(near, 50)).toEqual({ state: 'fault', fault: 'timeout' });
    clearInterval(drip);
  });

  it('rejects with the reason of its signal and leaves no listener behind', async () => {
    const { near } = await scene();
    const count = (): number[] => ['readable', 'end', 'close'].map((name) => near.listenerCount(name));
    const before = count();
    const control = new AbortController();
    const spoken = start(near, 5000, control.signal);
    control.abort(new Failure('client'));
    await expect(spoken).rejects.toMatchObject({ code: 'client' });
    expect(count()).toEqual(before);
  });
});
