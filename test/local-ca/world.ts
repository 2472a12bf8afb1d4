// A state directory with local certificates, a clock that is set by hand, and all that is told.

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import type { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, TLSSocket, type ConnectionOptions } from 'node:tls';
import { LocalTls, type ServedConfig } from '../../src/local-ca/local-tls.ts';
import type { ServerCredentials } from '../../src/net/local-handshake.ts';
import type { ClientTlsSettings, Route } from '../../src/proxy/route.ts';
import type { StoreIo } from '../../src/store/io.ts';
import { parseCertificate, type ParsedCertificate } from '../../src/trust/parsed-certificate.ts';
import { readCertificates } from '../../src/trust/certificate.ts';
import { listen, portOf } from '../net/peers.ts';
import { plainRoute } from '../proxy/route.ts';

export const day = 86_400_000;

export const tlsRoute = (changes: Partial<ClientTlsSettings> = {}, host = '127.0.0.1'): Route => ({
  ...plainRoute,
  listen: [{ kind: 'tcp', host, port: 0 }],
  clientTls: { mode: 'implicit', minVersion: 'TLSv1.2', files: null, ...changes },
});

export const serving = (routes: readonly Route[], names: readonly string[] = []): ServedConfig => ({
  routes,
  localCa: { names },
});

export class World {
  readonly state: string;
  now = Date.now();
  readonly told: { readonly code: string; readonly message: string }[] = [];
  readonly #open: LocalTls[] = [];

  private constructor(state: string) {
    this.state = state;
  }

  static async make(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'll-ca-'));
    await mkdir(join(folder, 'state'), { mode: 0o700 });
    return new World(join(folder, 'state'));
  }

  path(name: string): string {
    return join(this.state, 'local-ca', name);
  }

  text(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  async certificate(name: string): Promise<ParsedCertificate> {
    const [der = new Uint8Array()] = readCertificates(await this.text(name));
    return parseCertificate(der);
  }

  tls(io?: StoreIo): LocalTls {
    const tls = new LocalTls({
      state: this.state,
      now: () => this.now,
      on: (event) => {
        if (event.type === 'warning') this.told.push(event);
      },
      ...(io === undefined ? {} : { io }),
    });
    this.#open.push(tls);
    return tls;
  }

  /** As at the start of a daemon. */
  async start(
    config: ServedConfig,
  ): Promise<{ readonly tls: LocalTls; readonly credentials: ServerCredentials }> {
    const tls = this.tls();
    const prepared = await tls.prepare(config);
    await prepared.save();
    prepared.take();
    const [route = plainRoute] = config.routes;
    return { tls, credentials: { context: () => prepared.credentialsFor(route).context() } };
  }

  get codes(): readonly string[] {
    return this.told.map(({ code }) => code);
  }

  async close(): Promise<void> {
    for (const tls of this.#open) await tls.close();
    await rm(join(this.state, '..'), { recursive: true });
  }
}

/** A server on loopback that shows each client what the credentials give at that moment, and talks to it. */
export async function serve(
  credentials: ServerCredentials,
  talk: (tls: TLSSocket) => void = () => undefined,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const sockets: Socket[] = [];
  const server: Server = await listen(
    createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      const tls = new TLSSocket(socket, { isServer: true, secureContext: credentials.context() });
      tls.on('error', () => undefined);
      talk(tls);
    }),
  );
  return {
    port: portOf(server),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The certificate a client is shown now; with a CA, by a client that verifies. */
export async function shown(
  credentials: ServerCredentials,
  ca: string | null | undefined = null,
  options: ConnectionOptions = {},
): Promise<X509Certificate> {
  const { port, close } = await serve(credentials);
  // Without a CA, what is shown is looked at whoever vouches for it.
  const trust = ca === null ? { rejectUnauthorized: false } : { ca: ca ?? [] };
  const client = connect({ host: '127.0.0.1', port, ...options, ...trust });
  try {
    await once(client, 'secureConnect');
    const certificate = client.getPeerX509Certificate();
    if (certificate === undefined) throw new TypeError('no certificate was shown');
    return certificate;
  } finally {
    client.destroy();
    close();
  }
}
