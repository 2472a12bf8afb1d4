// The world on the other side of the wire: certificates made for this run, TLS servers, and pairs of sockets.

// oxlint-disable-next-line import/no-unassigned-import -- it is there for its effect: @peculiar/x509 does not load without it
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { createDiffieHellmanGroup, webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import * as x509 from '@peculiar/x509';

export interface Identity {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function pemOfKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
}

/** A self-signed server certificate for `mail.test` and 127.0.0.1. */
export async function selfSigned(): Promise<Identity> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=mail.test',
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'mail.test' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  return { cert: certificate.toString('pem'), key: await pemOfKey(keys.privateKey) };
}

/** The same with an RSA key, by the openssl program, for key exchanges that need one. */
export function rsaSelfSigned(): Identity {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    '-',
    '-out',
    '-',
    '-days',
    '2',
    '-subj',
    '/CN=mail.test',
  ];
  const text = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  return { key: text, cert: text };
}

/** RFC 2409 group 2, the well-known 1024-bit group, as PKCS#3 parameters: making one of our own would take seconds. */
export function dh1024Parameters(): string {
  const integer = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([2]), derLength(bytes.length), bytes]);
  const prime = Buffer.concat([Buffer.from([0]), createDiffieHellmanGroup('modp2').getPrime()]);
  const body = Buffer.concat([integer(prime), integer(Buffer.from([2]))]);
  const der = Buffer.concat([Buffer.from([0x30]), derLength(body.length), body]);
  return `-----BEGIN DH PARAMETERS-----\n${der.toString('base64')}\n-----END DH PARAMETERS-----\n`;
}

const derLength = (length: number): Buffer =>
  length < 128 ? Buffer.from([length]) : Buffer.from([0x81, length]);

export const derOf = (identity: Identity): Buffer => new X509Certificate(identity.cert).raw;

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no port');
  return address.port;
}

export async function listen(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A TLS server that hands over each connection. */
export const tlsServer = (
  identity: Identity,
  options: TlsOptions,
  served: (socket: TLSSocket) => void,
): Promise<Server> =>
  listen(
    createTlsServer({ ...identity, allowHalfOpen: true, ...options }, (socket) => {
      socket.on('error', () => undefined);
      served(socket);
    }).on('tlsClientError', () => undefined),
  );

/** A connected pair of plain sockets, both half-open. */
export async function socketPair(): Promise<{ near: Socket; far: Socket; close: () => void }> {
  const server = await listen(createServer({ allowHalfOpen: true, pauseOnConnect: true }));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect({ port: portOf(server), host: '127.0.0.1', allowHalfOpen: true });
  near.on('error', () => undefined);
  const [far] = await Promise.all([accepted, once(near, 'connect')]);
  far.on('error', () => undefined);
  server.close();
  return { near, far, close: () => [near, far].forEach((socket) => socket.destroy()) };
}

/** Everything a socket delivers until it ends or closes, and how that was. */
export function drink(socket: Socket): Promise<{ bytes: Buffer; ended: boolean; error: string | null }> {
  const chunks: Buffer[] = [];
  let error: string | null = null;
  return new Promise((resolve) => {
    const finish = (ended: boolean): void => resolve({ bytes: Buffer.concat(chunks), ended, error });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? 'error'));
    socket.on('end', () => finish(true));
    socket.on('close', () => finish(false));
    socket.resume();
  });
}
