// Nodemailer's way to take a socket from somebody else: `createTransport({ host, port, secure, getSocket })`. It gets one that
// was vouched for, also where the server begins in clear; then STARTTLS was spoken already.

import { bracketed, canonicalHost } from '../endpoint.ts';
import type { Connection, ConnectOptions } from './connect.ts';

/** What nodemailer says of the transport. */
export interface MailTransportOptions {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  /** TLS at once; otherwise STARTTLS, which is never optional here. */
  readonly secure?: boolean | undefined;
}

export interface MailSocket {
  readonly connection: Connection['socket'];
  readonly secured: true;
  readonly secure: true;
}

export type MailSocketCallback = (error: Error | null, socket?: MailSocket) => void;
export type GetSocket = (options: MailTransportOptions, callback: MailSocketCallback) => void;

export const mailSocketFrom =
  (
    connect: (target: string, options: ConnectOptions) => Promise<Connection>,
    own: ConnectOptions,
  ): GetSocket =>
  (options, callback) => {
    // Out of the promise: what nodemailer throws is its own affair.
    const answer = (...result: Parameters<MailSocketCallback>): void =>
      void setImmediate(callback, ...result);
    connected(options, (target) => connect(target, own)).then(
      ({ socket }) => answer(null, { connection: socket, secured: true, secure: true }),
      (error: unknown) => answer(error instanceof Error ? error : new Error(String(error))),
    );
  };

async function connected(
  { host = 'localhost', port, secure = Number(port) === 465 }: MailTransportOptions,
  connect: (target: string) => Promise<Connection>,
): Promise<Connection> {
  const at = port === undefined || port === '' ? '' : `:${port}`;
  return connect(`${secure ? 'submissions' : 'submission'}://${bracketed(canonicalHost(host).host)}${at}`);
}
