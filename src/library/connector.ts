// A connector for undici (`new Agent({ connect: tofu.connector() })`), and so for fetch with that dispatcher. The shape is
// undici's; letterlock does not load it.

import { connect as connectPlain, type Socket } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';

/** What undici asks for. */
export interface ConnectorOptions {
  readonly hostname: string;
  readonly protocol: string;
  readonly port: string;
  readonly servername?: string;
  readonly localAddress?: string | null;
  /** A connection that is there already, such as one through a proxy. */
  readonly httpSocket?: Socket;
}

export type ConnectorCallback = (...result: [null, Socket | TLSSocket] | [Error, null]) => void;
export type Connector = (options: ConnectorOptions, callback: ConnectorCallback) => Socket | TLSSocket;

export const connectorFor =
  (
    connect: (options: ConnectionOptions) => TLSSocket,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Connector =>
  (options, callback) => {
    const { hostname, protocol, port, servername, localAddress, httpSocket } = options;
    const secure = protocol === 'https:';
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const place = { host, port: Number(port === '' ? (secure ? 443 : 80) : port) };
    const socket = secure
      ? connect({
          ...place,
          servername: servername ?? host,
          ALPNProtocols: ['http/1.1'],
          ...(localAddress == null ? {} : { localAddress }),
          ...(httpSocket === undefined ? {} : { socket: httpSocket }),
        })
      : connectPlain({ ...place, ...(localAddress == null ? {} : { localAddress }) });
    answerOnce(socket, { event: secure ? 'secureConnect' : 'connect', timeoutMs, callback });
    return socket;
  };

function answerOnce(
  socket: Socket | TLSSocket,
  wait: { readonly event: string; readonly timeoutMs: number; readonly callback: ConnectorCallback },
): void {
  const { event, timeoutMs, callback } = wait;
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)),
    timeoutMs,
  );
  const done = (error: Error | null): void => {
    clearTimeout(timer);
    socket.removeListener(event, connected);
    socket.removeListener('error', done);
    socket.removeListener('close', closed);
    if (error === null) callback(null, socket);
    else callback(error, null);
  };
  const connected = (): void => done(null);
  const closed = (): void => done(new Error('the connection was closed'));
  socket.setNoDelay(true);
  socket.once(event, connected);
  socket.once('error', done);
  socket.once('close', closed);
}
