import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/errors.ts';
import { dial, DialFailure } from '../../src/net/dial.ts';
import { listen, portOf } from './peers.ts';

const never = new AbortController().signal;
const options = { deadlineMs: 5000, signal: never };

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'connected',
    (error: unknown) => error,
  );
}

async function freePort(): Promise<number> {
  const server = await listen(createServer());
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const silent = (): Promise<never> => new Promise(() => undefined);

describe('dial', () => {
  it('connects to an address with half-open allowed', async () => {
    const server = await listen(createServer({ allowHalfOpen: true }));
    const socket = await dial({ host: '127.0.0.1', port: portOf(server) }, options);
    expect(socket.allowHalfOpen).toBe(true);
    expect(socket.remotePort).toBe(portOf(server));
    socket.destroy();
    server.close();
  });

  it('goes on to the next address, of the other family first, when one refuses', async () => {
    const server = await listen(createServer());
    const tried = [
      { address: '127.0.0.9', family: 4 },
      { address: '127.0.0.8', family: 4 },
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const socket = await dial(
      { host: 'mail.test', port: portOf(server) },
      { ...options, resolve: () => Promise.resolve(tried) },
    );
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
    server.close();
  });

  it('says refused when every address refuses', async () => {
    const error = await failureOf(dial({ host: '127.0.0.1', port: await freePort() }, options));
    expect(error).toBeInstanceOf(DialFailure);
    expect(error).toMatchObject({ code: 'dial', result: 'refused', detail: 'ECONNREFUSED' });
  });

  it('says dns when the name cannot be looked up or has no address', async () => {
    const unknown = Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    const failing = failureOf(
      dial({ host: 'mail.test', port: 1 }, { ...options, resolve: () => Promise.reject(unknown) }),
    );
    expect(await failing).toMatchObject({ code: 'dns', result: 'dns', detail: 'ENOTFOUND' });
    const empty = failureOf(
      dial({ host: 'mail.test', port: 1 }, { ...options, resolve: () => Promise.resolve([]) }),
    );
    expect(await empty).toMatchObject({ code: 'dns', result: 'dns', detail: 'ENODATA' });
  });

  it('tries no more than sixteen addresses of a name, of both families', async () => {
    const server = await listen(createServer());
    const dead = Array.from({ length: 14 }, (_, index) => ({ address: `127.0.9.${index + 1}`, family: 4 }));
    const six = { address: '::1', family: 6 };
    const alive = { address: '127.0.0.1', family: 4 };
    const among = (found: readonly { address: string; family: number }[]): Promise<unknown> =>
      dial(
        { host: 'mail.test', port: portOf(server) },
        { ...options, resolve: () => Promise.resolve(found) },
      ).then(
        (socket) => {
          const { remoteAddress } = socket;
          socket.destroy();
          return remoteAddress;
        },
        (error: unknown) => error,
      );
    expect(await among([...dead, six, alive])).toBe('127.0.0.1');
    expect(await among([...dead, ...dead, six, alive])).toMatchObject({ result: 'refused' });
    server.close();
  });

  it('holds one deadline over a look-up that never answers', async () => {
    const error = await failureOf(
      dial({ host: 'mail.test', port: 1 }, { ...options, deadlineMs: 20, resolve: silent }),
    );
    expect(error).toMatchObject({ code: 'timeout', result: 'timeout' });
  });

  it('stops with the reason of its signal', async () => {
    const control = new AbortController();
    const work = failureOf(
      dial({ host: 'mail.test', port: 1 }, { ...options, signal: control.signal, resolve: silent }),
    );
    control.abort(new Failure('client'));
    expect(await work).toMatchObject({ code: 'client' });
  });
});
