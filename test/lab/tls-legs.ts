// A mail provider behind a letterlock whose routes speak TLS with their clients: one route a leg, the local CA exported as
// a user would, and the server itself to compare with.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TlsMode, Where } from './clients/client.ts';
import { serverHost } from './dovecot.ts';
import { temporaryFolder } from './folder.ts';
import { openForward } from './forward.ts';
import { startLetterlock, type Letterlock } from './letterlock.ts';
import { startMailLab, type MailLab } from './mail-lab.ts';
import { freePorts } from './port.ts';

type ClientTls = TlsMode | 'none';

export interface Leg {
  readonly name: string;
  readonly clientTls: ClientTls;
  readonly upstream: (lab: MailLab) => { readonly scheme: string; readonly port: number };
}

export interface TlsLegs {
  readonly lab: MailLab;
  readonly letterlock: Letterlock;
  /** Where a client finds a leg; it trusts the local CA and nothing else. */
  through(name: string): Where;
  /** Works at the server itself, whose certificate is signed by the lab's CA, at a port of localhost. */
  direct<T>(
    place: { readonly port: number; readonly tls: TlsMode },
    work: (where: Where) => Promise<T>,
  ): Promise<T>;
  stop(): Promise<void>;
}

export async function startTlsLegs(legs: readonly Leg[]): Promise<TlsLegs> {
  const folder = await temporaryFolder();
  const lab = await startMailLab({ variant: 'ca1', seeded: true, postfix: true });
  const ports = await freePorts('127.0.0.1', legs.length);
  const letterlock = await startLetterlock(
    legs.map(({ name, clientTls, upstream }, index) => {
      const { scheme, port } = upstream(lab);
      return {
        name,
        listen: ports[index] ?? 0,
        upstream: `${scheme}://mail.lab.test:${port}`,
        address: `${serverHost}:${port}`,
        settings: { clientTls: clientTls === 'none' ? 'off' : clientTls, trust: 'tofu' },
      };
    }),
  );
  const caFile = join(folder.path, 'local-ca.crt');
  const { exit, shown, stdout } = await letterlock.command('local-ca', 'export', '-');
  if (exit !== 0) throw new Error(`the local CA is not exported: ${shown}`);
  await writeFile(caFile, stdout);
  return {
    lab,
    letterlock,
    through: (wanted) => {
      const index = legs.findIndex(({ name }) => name === wanted);
      return { host: 'localhost', port: ports[index] ?? 0, tls: legs[index]?.clientTls ?? 'none', caFile };
    },
    direct: async ({ port, tls }, work) => {
      const forward = await openForward({ host: serverHost, port });
      try {
        return await work({ host: 'localhost', port: forward.port, tls, caFile: lab.caFile });
      } finally {
        await forward.close();
      }
    },
    stop: async () => {
      await letterlock.stop();
      await lab.stop();
      await folder.remove();
    },
  };
}
