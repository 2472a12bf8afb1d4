// Puts letterlock in the place of Node's tls.connect, for a whole process: https, http2, fetch and every library that
// connects go through it, unchanged. Servers, UNIX sockets and what is not TLS stay as they are.

import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import tls, { type ConnectionOptions, type TLSSocket } from 'node:tls';
import { MisuseError } from '../errors.ts';
import { replaced, tlsConnect } from '../net/tls-connect.ts';

const { TLSSocket: OriginalSocket } = tls;

type Connect = (options: ConnectionOptions) => TLSSocket;

/** Idempotent: who was first stays. Returns whether this call did it. */
export function install(connect: Connect): boolean {
  if (Reflect.has(tls.connect, replaced)) return false;
  const connectInstead = (...args: readonly unknown[]): TLSSocket => {
    const { options, secure } = asked(args);
    // A UNIX socket has no name that a key could belong to; whoever can bind it is on this machine.
    if (isUnixSocket(options)) return tlsConnect(options, secure);
    const socket = connectedOrFailed(connect, options);
    if (secure !== undefined) socket.once('secureConnect', secure);
    return socket;
  };
  Object.defineProperty(connectInstead, replaced, { value: tlsConnect });
  Object.assign(tls, { connect: connectInstead, TLSSocket: serversOnly(tls.TLSSocket) });
  // `import { connect } from 'node:tls'` would keep the old one.
  syncBuiltinESMExports();
  return true;
}

/** As Node reads it: a path that is empty, or beside a socket, means nothing. */
const isUnixSocket = ({ path, socket }: ConnectionOptions): boolean =>
  typeof path === 'string' && path !== '' && (socket === undefined || socket === null);

/** Node throws for no name of a server: what is wrong with one comes as an error, where a program waits for it. */
function connectedOrFailed(connect: Connect, options: ConnectionOptions): TLSSocket {
  try {
    return connect(options);
  } catch (error) {
    const failed = new OriginalSocket(new Socket());
    setImmediate(() => failed.destroy(error instanceof Error ? error : new Error(String(error))));
    return failed;
  }
}

/** A client made by hand says nowhere when it is secure: there is no moment at which it could be held. */
const serversOnly = (original: typeof TLSSocket): typeof TLSSocket =>
  new Proxy(original, {
    construct(target, args: readonly unknown[], newTarget): object {
      const [, options] = args;
      if (isServer(options)) return Reflect.construct(target, args, newTarget);
      throw new MisuseError('unguarded-socket');
    },
    apply(target, self: unknown, args: readonly unknown[]): unknown {
      const [, options] = args;
      if (isServer(options)) return Reflect.apply(target, self, args);
      throw new MisuseError('unguarded-socket');
    },
  });

const isServer = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && Reflect.get(options, 'isServer') === true;

interface Asked {
  readonly options: ConnectionOptions;
  readonly secure: (() => void) | undefined;
}

/** `(options)`, `(path, options)`, `(port, host, options)`, each with a callback behind, as Node reads them. */
function asked(args: readonly unknown[]): Asked {
  const last = args.at(-1);
  const secure = isCallback(last) ? last : undefined;
  const rest = secure === undefined ? args : args.slice(0, -1);
  const options: Record<string, unknown> = {};
  for (const [at, arg] of rest.entries()) {
    if (typeof arg === 'object' && arg !== null) Object.assign(options, arg);
    else if (at === 0 && isPort(arg)) options['port'] = arg;
    else if (at === 0 && typeof arg === 'string') options['path'] = arg;
    else if (at === 1 && typeof arg === 'string') options['host'] = arg;
  }
  return { options, secure };
}

const isCallback = (value: unknown): value is () => void => typeof value === 'function';
const isPort = (value: unknown): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^\d{1,5}$/.test(value));
