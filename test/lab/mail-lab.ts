// One mail provider on loopback: certificates, a Dovecot and, where asked for, a Postfix beside it.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates, type Variant } from './certificates.ts';
import { serverHost, startDovecot, type Dovecot, type DovecotPlace } from './dovecot.ts';
import { temporaryFolder } from './folder.ts';
import { freePorts } from './port.ts';
import { startPostfix, type Postfix, type PostfixPorts } from './postfix.ts';

export interface MailLab {
  /** Folder of NAME.crt, NAME.key and ca.crt. */
  readonly certificates: string;
  readonly caFile: string;
  readonly dovecot: Dovecot;
  /** Throws when the lab was started without. */
  readonly postfix: Postfix;
  swap(variant: Variant): Promise<void>;
  /** Stops the servers and removes every file. */
  stop(): Promise<void>;
}

export interface LabOptions {
  readonly variant: Variant;
  readonly seeded: boolean;
  readonly postfix: boolean;
  /** Where Dovecot runs; default: on this machine's loopback. */
  readonly place?: DovecotPlace;
}

export async function startMailLab(options: LabOptions): Promise<MailLab> {
  const folder = await temporaryFolder();
  const certificates = join(folder.path, 'pki');
  for (const name of ['pki', 'd', 'p']) await mkdir(join(folder.path, name));
  await makeCertificates(certificates);
  const [relay = 0, submission = 0, submissions = 0] = await freePorts(serverHost, 3);
  const ports: PostfixPorts = { relay, submission, submissions };
  const { variant, seeded } = options;
  const dovecot = await startDovecot({
    folder: join(folder.path, 'd'),
    certificates,
    variant,
    seeded,
    relayPort: relay,
    ...(options.place === undefined ? {} : { place: options.place }),
  });
  const authPort = dovecot.ports.auth;
  const started = options.postfix
    ? await startPostfix({ folder: join(folder.path, 'p'), certificates, variant, ports, authPort })
    : null;
  return {
    certificates,
    caFile: join(certificates, 'ca.crt'),
    dovecot,
    get postfix() {
      if (started === null) throw new Error('this lab has no Postfix');
      return started;
    },
    swap: async (next) => {
      await Promise.all([dovecot.swap(next), started?.swap(next)]);
    },
    stop: async () => {
      await Promise.all([dovecot.stop(), started?.stop()]);
      await folder.remove();
    },
  };
}
