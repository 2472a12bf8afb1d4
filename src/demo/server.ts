// The embedded demo mail server: IMAP, POP3 and submission over implicit TLS on loopback, with a self-signed
// certificate that can be swapped for another key's while it runs. One user, mail in memory.

import { once } from 'node:events';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { makeIdentity, type Identity } from './identity.ts';
import { serveImap } from './imap.ts';
import { LineReader } from './line-reader.ts';
import { Mailboxes, textMail, type User } from './mailbox.ts';
import { servePop3 } from './pop3.ts';
import { serveSubmission } from './submission.ts';

type Serve = (reader: LineReader, socket: TLSSocket, mail: Mailboxes) => Promise<void>;
const services = { imap: serveImap, pop3: servePop3, submission: serveSubmission } as const satisfies Record<
  string,
  Serve
>;
type Service = keyof typeof services;

export interface DemoOptions {
  /** Name in the certificate. */
  readonly host: string;
  readonly user: User;
  readonly now: () => number;
}

export class DemoServer {
  readonly mail: Mailboxes;
  readonly #options: DemoOptions;
  readonly #servers: Readonly<Record<Service, Server>>;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(options: DemoOptions, identity: Identity) {
    this.#options = options;
    this.mail = new Mailboxes(options.user);
    this.#servers = {
      imap: this.#server(services.imap, identity),
      pop3: this.#server(services.pop3, identity),
      submission: this.#server(services.submission, identity),
    };
  }

  /** Starts the three services on free loopback ports. The caller closes. */
  static async start(options: DemoOptions): Promise<DemoServer> {
    const demo = new DemoServer(options, await makeIdentity(options.host, { now: options.now(), days: 365 }));
    demo.#welcome();
    for (const server of Object.values(demo.#servers)) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return demo;
  }

  port(service: Service): number {
    const address = this.#servers[service].address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  /** Goes on with a new key and certificate, as after a reinstallation, or as an impostor would. */
  async changeKey(): Promise<void> {
    const identity = await makeIdentity(this.#options.host, { now: this.#options.now(), days: 365 });
    for (const server of Object.values(this.#servers)) server.setSecureContext(identity);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      Object.values(this.#servers).map((server) => new Promise((resolve) => server.close(resolve))),
    );
  }

  #server(serve: Serve, identity: Identity): Server {
    const server = createServer(identity, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      // A client that breaks off or sends nonsense ends its own session and nothing else.
      serve(new LineReader(socket), socket, this.mail).catch(() => socket.destroy());
    });
    return server.on('tlsClientError', () => undefined);
  }

  #welcome(): void {
    const at = new Date(this.#options.now());
    const to = `${this.#options.user.name} <${this.#options.user.name}@${this.#options.host}>`;
    const from = `letterlock demo <demo@${this.#options.host}>`;
    const mails = [
      [
        'Welcome',
        'This mail came to you over TLS that was verified by its pinned key.\nThe server has a self-signed certificate, like many mail servers.',
      ],
      [
        'What happens when the key changes',
        'letterlock refuses, in the words of your own mail client,\nand nothing of yours is sent.',
      ],
    ] as const;
    for (const [subject, text] of mails)
      this.mail.inbox.append(textMail({ from, to, subject, at, text }), { at });
  }
}
