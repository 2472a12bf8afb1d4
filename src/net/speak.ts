// Carries a pure talk over a socket: writes what it says to write, feeds it what arrives, and stops reading
// the moment it is done. Nothing is put back into the socket: bytes after the talk's last line are returned
// as `left`, and the caller refuses them or relays them.

import type { Duplex } from 'node:stream';
import type { TalkFault, Turn } from '../mail/conversation.ts';
import { asFailure } from './failure.ts';

/** What speak needs of a talk; mail/talk.ts's Talk is one. */
export interface Spoken<T> {
  start(): Turn<T>;
  feed(chunk: Uint8Array): Turn<T>;
  end(): Turn<T>;
}

export type SpeakEnd<T> =
  | { readonly state: 'done'; readonly result: T; readonly left: Uint8Array }
  | { readonly state: 'fault'; readonly fault: TalkFault | 'timeout' | 'closed' };

export interface SpeakOptions {
  /** For the whole talk, milliseconds; not an idle time. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Speaks `talk` over `socket` and leaves the socket open and paused, whatever the end; the caller closes it.
 * Throws the signal's reason when aborted.
 */
export function speak<T>(socket: Duplex, talk: Spoken<T>, options: SpeakOptions): Promise<SpeakEnd<T>> {
  options.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const release = (): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', aborted);
      socket.removeListener('readable', read);
      socket.removeListener('end', ended);
      socket.removeListener('close', closed);
      socket.pause();
    };
    const finish = (end: SpeakEnd<T>): void => {
      release();
      resolve(end);
    };
    const aborted = (): void => {
      release();
      reject(asFailure(options.signal.reason));
    };
    /** Writes the turn's bytes; true while the talk goes on. */
    const take = (turn: Turn<T>): boolean => {
      if (turn.write.length > 0 && socket.writable) socket.write(turn.write);
      if (turn.state === 'open') return true;
      if (turn.state === 'fault') finish({ state: 'fault', fault: turn.fault });
      else finish({ state: 'done', result: turn.result, left: turn.left });
      return false;
    };
    const read = (): void => {
      try {
        for (let chunk = nextChunk(socket); chunk !== null; chunk = nextChunk(socket)) {
          if (!take(talk.feed(chunk))) return;
        }
      } catch (error) {
        release();
        reject(asFailure(error));
      }
    };
    const ended = (): void => {
      if (take(talk.end())) finish({ state: 'fault', fault: 'ended' });
    };
    const closed = (): void => finish({ state: 'fault', fault: 'closed' });
    const timer = setTimeout(() => finish({ state: 'fault', fault: 'timeout' }), options.deadlineMs);

    options.signal.addEventListener('abort', aborted, { once: true });
    socket.on('end', ended);
    socket.on('close', closed);
    if (!take(talk.start())) return;
    if (socket.destroyed) closed();
    else if (socket.readableEnded) ended();
    else {
      socket.on('readable', read);
      read();
    }
  });
}

function nextChunk(socket: Duplex): Uint8Array | null {
  const chunk: unknown = socket.read();
  return chunk instanceof Uint8Array ? chunk : null;
}
