// Opens a connection through a proxy: dials it, lets the pure talk of its kind speak, and hands over the socket
// with not one byte read that is not the proxy's. What goes wrong at the proxy is a DialFailure like any other:
// nobody was reached yet.

import type { Socket } from 'node:net';
import { bracketed } from '../endpoint.ts';
import { dial, DialFailure, onionUnreached, type DialOptions } from './dial.ts';
import { asFailure } from './failure.ts';
import { httpTalk } from './via-http.ts';
import { socksTalk } from './via-socks.ts';
import {
  failedVia,
  type ViaEnd,
  type ViaLogin,
  type ViaStep,
  type ViaTalk,
  type ViaTarget,
} from './via-talk.ts';

export interface ProxyServer {
  readonly kind: 'socks5' | 'http';
  readonly host: string;
  readonly port: number;
  readonly login: ViaLogin | null;
}

/** As `dial`, with the proxy and what it is asked under the same one deadline. */
export async function dialVia(proxy: ProxyServer, target: ViaTarget, options: DialOptions): Promise<Socket> {
  const deadline = performance.now() + options.deadlineMs;
  const talk = talkWith(proxy, target);
  const socket = await dialProxy(proxy, options);
  try {
    const end = await converse(socket, talk, {
      deadlineMs: Math.max(1, deadline - performance.now()),
      signal: options.signal,
      late: `${named(proxy)}: no answer before the deadline`,
    });
    if (end.opened) return socket;
    throw new DialFailure('dial', {
      result: 'proxy',
      detail: `${named(proxy)}: ${end.detail}`,
      passing: end.passing,
    });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function talkWith({ kind, login }: ProxyServer, target: ViaTarget): ViaTalk {
  switch (kind) {
    case 'socks5':
      return socksTalk(target, login);
    case 'http': {
      // A web proxy would ask its DNS server for the name (RFC 7686 section 2).
      const unreached = onionUnreached(target.host);
      if (unreached !== null) throw unreached;
      return httpTalk(target, login);
    }
  }
}

/** Of the mail server nothing is known yet, so that neither its name nor its address is what failed. */
async function dialProxy(proxy: ProxyServer, options: DialOptions): Promise<Socket> {
  try {
    return await dial(proxy, options);
  } catch (error) {
    if (!(error instanceof DialFailure)) throw error;
    const detail = `${named(proxy)}: ${error.detail}`;
    const { passing } = error;
    throw error.result === 'timeout'
      ? new DialFailure('timeout', { result: 'timeout', detail, passing })
      : new DialFailure('dial', { result: 'proxy', detail, passing });
  }
}

const named = ({ kind, host, port }: ProxyServer): string => `${kind} proxy ${bracketed(host)}:${port}`;

/**
 * Leaves the socket open and paused, whatever the end. Throws DialFailure `timeout` at the deadline, or the signal's
 * reason when aborted.
 */
function converse(
  socket: Socket,
  talk: ViaTalk,
  options: { readonly deadlineMs: number; readonly signal: AbortSignal; readonly late: string },
): Promise<ViaEnd> {
  const { signal, deadlineMs, late } = options;
  signal.throwIfAborted();
  const first = talk.next(nothing);
  return new Promise((resolve, reject) => {
    let wanted = 0;
    const release = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      socket.removeListener('readable', read);
      socket.removeListener('end', over);
      socket.removeListener('close', over);
      socket.pause();
    };
    const finish = (end: ViaEnd): void => {
      release();
      resolve(end);
    };
    const fail = (error: Error): void => {
      release();
      reject(error);
    };
    const aborted = (): void => fail(asFailure(signal.reason));
    const over = (): void => finish(failedVia('it closed the connection'));
    /** True while the talk goes on. */
    const take = (step: IteratorResult<ViaStep, ViaEnd>): boolean => {
      if (step.done === true) {
        finish(step.value);
        return false;
      }
      if (step.value.send.length > 0 && socket.writable) socket.write(step.value.send);
      wanted = step.value.read;
      return true;
    };
    const read = (): void => {
      try {
        for (let bytes = bytesOf(socket, wanted); bytes !== null; bytes = bytesOf(socket, wanted)) {
          // An ended stream gives what is left, however much was asked for.
          if (bytes.length < wanted) return over();
          if (!take(talk.next(bytes))) return;
        }
      } catch (error) {
        fail(asFailure(error));
      }
    };
    const timer = setTimeout(
      () => fail(new DialFailure('timeout', { result: 'timeout', detail: late, passing: false })),
      deadlineMs,
    );
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('end', over);
    socket.on('close', over);
    if (!take(first)) return;
    if (socket.destroyed || socket.readableEnded) return over();
    socket.on('readable', read);
    read();
  });
}

function bytesOf(socket: Socket, count: number): Uint8Array | null {
  const bytes: unknown = socket.read(count);
  return bytes instanceof Uint8Array ? bytes : null;
}

const nothing = new Uint8Array(0);
