// A mail server of our own that really offers SCRAM-SHA-256-PLUS, for IMAP and SMTP, with STARTTLS and in
// TLS from the start; what each client tried stands in `tries`.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Variant } from '../certificates.ts';
import { serverHost } from '../dovecot.ts';
import { portOf } from '../port.ts';
import { greetImap, serveImap, startTlsImap, type Mailbox } from './imap.ts';
import { Logins, type Mechanism, type Try } from './login.ts';
import { greetSmtp, serveSmtp, startTlsSmtp } from './smtp.ts';
import { Gone, Talk } from './talk.ts';

export interface ScramServer {
  readonly ports: Readonly<Record<'imap' | 'imaps' | 'submission' | 'submissions', number>>;
  /** Every try to log in since the last `forget`, in order. */
  readonly tries: readonly Try[];
  readonly mailbox: Mailbox;
  /** Messages handed over by SMTP. */
  readonly received: readonly Buffer[];
  forget(): void;
  /** Rejects when it failed at something that was not the client's doing. */
  close(): Promise<void>;
}

interface Spoken {
  startTls(talk: Talk): Promise<void>;
  greet(talk: Talk): void;
  serve(talk: Talk): Promise<void>;
}

export interface ScramOptions {
  readonly certificates: string;
  readonly variant: Variant;
  readonly mechanisms: readonly Mechanism[];
  /** What lies in the mailbox; lines end in CRLF. */
  readonly messages: readonly Buffer[];
}

export async function startScramServer(options: ScramOptions): Promise<ScramServer> {
  const { certificates, variant, mechanisms } = options;
  const cert = await readFile(join(certificates, `${variant}.crt`), 'utf8');
  const key = await readFile(join(certificates, `${variant}.key`), 'utf8');
  const logins = new Logins(mechanisms, cert);
  const mailbox: Mailbox = { messages: [...options.messages] };
  const received: Buffer[] = [];
  const failures: unknown[] = [];
  const open = new Set<Socket>();
  const serveSocket = (socket: Socket, serve: () => Promise<void>): void => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A client that resets ends its talk, which says so.
    socket.on('error', () => undefined);
    serve().catch((error: unknown) => {
      socket.destroy();
      if (!(error instanceof Gone)) failures.push(error);
    });
  };
  const listen = async (spoken: Spoken) => {
    const tls = createTlsServer({ cert, key }, (socket) =>
      serveSocket(socket, () => spoken.serve(new Talk(socket))),
    );
    const implicit = createTlsServer({ cert, key }, (socket) =>
      serveSocket(socket, () => {
        const talk = new Talk(socket);
        spoken.greet(talk);
        return spoken.serve(talk);
      }),
    ).listen(0, serverHost);
    const clear = createServer((socket) =>
      serveSocket(socket, async () => {
        await spoken.startTls(new Talk(socket));
        tls.emit('connection', socket);
      }),
    ).listen(0, serverHost);
    await Promise.all([implicit, clear].map((server) => once(server, 'listening')));
    return { implicit, clear };
  };
  const imap = await listen({
    startTls: startTlsImap,
    greet: (talk) => greetImap(talk, logins),
    serve: (talk) => serveImap(talk, logins, mailbox),
  });
  const smtp = await listen({
    startTls: startTlsSmtp,
    greet: greetSmtp,
    serve: (talk) => serveSmtp(talk, logins, received),
  });
  const servers = [imap.clear, imap.implicit, smtp.clear, smtp.implicit];
  const [imapPort = 0, imaps = 0, submission = 0, submissions = 0] = servers.map(portOf);
  return {
    ports: { imap: imapPort, imaps, submission, submissions },
    tries: logins.tries,
    mailbox,
    received,
    forget: () => {
      logins.tries.length = 0;
      received.length = 0;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await Promise.all(servers.map((server) => once(server.close(), 'close')));
      if (failures.length > 0) throw new AggregateError(failures, 'the scripted server failed');
    },
  };
}
