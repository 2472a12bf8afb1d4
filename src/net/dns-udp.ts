// One question in one datagram, to a resolver on this machine. Datagrams get lost on loopback only when a queue is full; it is
// asked again all the same. What is no answer to the question is passed over, wherever it came from.

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import {
  decodeMessage,
  DnsFormatError,
  encodeQuery,
  type DnsMessage,
  type DnsQuestion,
} from './dns-message.ts';
import { codeOf } from './failure.ts';
import { isAnswer, ResolverError, type LoopbackResolver } from './resolver.ts';

/** Before the question is asked again; each time twice as long. */
const firstRetryMs = 1_000;

/** A truncated answer is an answer. @throws ResolverError, also when `signal` aborts */
export function askByUdp(
  { host, port }: LoopbackResolver,
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsMessage> {
  const id = randomInt(0x10000);
  const query = encodeQuery(id, question);
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    let retry: NodeJS.Timeout | undefined;
    const over = (settle: () => void): void => {
      clearTimeout(retry);
      signal.removeEventListener('abort', aborted);
      socket.off('error', failed).on('error', () => undefined);
      socket.off('message', received).close();
      settle();
    };
    const aborted = (): void => over(() => reject(new ResolverError('no answer in time')));
    const failed = (error: Error): void => over(() => reject(new ResolverError(codeOf(error))));
    const received = (bytes: Buffer, from: { readonly address: string; readonly port: number }): void => {
      const message = from.address === host && from.port === port ? messageOf(bytes) : null;
      if (message !== null && isAnswer(message, { id, question })) over(() => resolve(message));
    };
    const send = (afterMs: number): void => {
      socket.send(query);
      retry = setTimeout(() => send(afterMs * 2), afterMs);
    };
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', failed);
    socket.on('message', received);
    // Connected: the system itself takes datagrams from nobody else, and says when nobody listens there.
    socket.connect(port, host, () => send(firstRetryMs));
  });
}

function messageOf(bytes: Buffer): DnsMessage | null {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (error instanceof DnsFormatError) return null;
    throw error;
  }
}
