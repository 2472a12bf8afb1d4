// Questions over one connection, TCP or TLS, each with its length before it (RFC 7766 section 8). One at a time: an answer that
// is none to the question ends the connection.

import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  decodeMessage,
  DnsFormatError,
  encodeQuery,
  type DnsMessage,
  type DnsQuestion,
} from './dns-message.ts';
import { codeOf } from './failure.ts';
import { isAnswer, maxMessage, ResolverError } from './resolver.ts';

/** The caller closes the socket, also after an error. @throws ResolverError, also when `signal` aborts */
export async function askByStream(
  socket: Socket,
  question: DnsQuestion,
  signal: AbortSignal,
): Promise<DnsMessage> {
  const id = randomInt(0x10000);
  const query = encodeQuery(id, question);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  const message = messageOf(await readFrame(socket, signal));
  if (!isAnswer(message, { id, question }))
    throw new ResolverError('it answered something that was not asked');
  return message;
}

function messageOf(bytes: Uint8Array): DnsMessage {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    throw new ResolverError(`its answer is not a DNS message: ${error.message}`);
  }
}

function readFrame(socket: Socket, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const over = (settle: () => void): void => {
      signal.removeEventListener('abort', aborted);
      socket.off('data', took).off('error', failed).off('close', closed).off('end', closed);
      socket.pause();
      settle();
    };
    const fail = (why: string): void => over(() => reject(new ResolverError(why)));
    const aborted = (): void => fail('no answer in time');
    const failed = (error: Error): void => fail(codeOf(error));
    const closed = (): void => fail('it closed the connection without an answer');
    const took = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const length = received.readUInt16BE(0);
      if (length > maxMessage) return fail(`its answer is larger than ${maxMessage} octets`);
      if (received.length < 2 + length) return;
      if (received.length > 2 + length) return fail('it answered more than was asked');
      over(() => resolve(received.subarray(2)));
    };
    if (signal.aborted || socket.destroyed) return signal.aborted ? aborted() : closed();
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('error', failed).on('close', closed).on('end', closed).on('data', took);
    socket.resume();
  });
}
