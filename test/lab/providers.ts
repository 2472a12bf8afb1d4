// Two mail providers and one letterlock before them. The first has certificates from a CA that its routes name;
// the second signs its own, and is trusted on first use. Between them every scheme is used, and each protocol
// is reached in two ways.

import { startLetterlock, type LabRoute, type Letterlock } from './letterlock.ts';
import { serverHost } from './dovecot.ts';
import { startMailLab, type LabOptions, type MailLab } from './mail-lab.ts';
import { freePorts } from './port.ts';

/** How a route reaches its server. `name` is the route's in configuration and log. */
export interface Way {
  readonly name: string;
  readonly protocol: 'imap' | 'pop3' | 'smtp' | 'lmtp' | 'sieve';
  readonly scheme: string;
  readonly provider: 'signed' | 'selfSigned';
  readonly server: 'dovecot' | 'postfix';
  readonly service: 'imap' | 'imaps' | 'pop3' | 'pop3s' | 'sieve' | 'submission' | 'submissions' | 'lmtp';
}

export const readingWays: readonly Way[] = [
  {
    name: 'imap-ca',
    protocol: 'imap',
    scheme: 'imap',
    provider: 'signed',
    server: 'dovecot',
    service: 'imap',
  },
  {
    name: 'imaps-tofu',
    protocol: 'imap',
    scheme: 'imaps',
    provider: 'selfSigned',
    server: 'dovecot',
    service: 'imaps',
  },
  {
    name: 'pop3-tofu',
    protocol: 'pop3',
    scheme: 'pop3',
    provider: 'selfSigned',
    server: 'dovecot',
    service: 'pop3',
  },
  {
    name: 'pop3s-ca',
    protocol: 'pop3',
    scheme: 'pop3s',
    provider: 'signed',
    server: 'dovecot',
    service: 'pop3s',
  },
  {
    name: 'sieve-ca',
    protocol: 'sieve',
    scheme: 'sieve',
    provider: 'signed',
    server: 'dovecot',
    service: 'sieve',
  },
  {
    name: 'sieve-tofu',
    protocol: 'sieve',
    scheme: 'sieve',
    provider: 'selfSigned',
    server: 'dovecot',
    service: 'sieve',
  },
];

export const sendingWays: readonly Way[] = [
  {
    name: 'submission-ca',
    protocol: 'smtp',
    scheme: 'submission',
    provider: 'signed',
    server: 'postfix',
    service: 'submission',
  },
  {
    name: 'submissions-tofu',
    protocol: 'smtp',
    scheme: 'submissions',
    provider: 'selfSigned',
    server: 'postfix',
    service: 'submissions',
  },
  {
    name: 'dovecot-submission',
    protocol: 'smtp',
    scheme: 'submission',
    provider: 'selfSigned',
    server: 'dovecot',
    service: 'submission',
  },
  {
    name: 'dovecot-submissions',
    protocol: 'smtp',
    scheme: 'smtps',
    provider: 'signed',
    server: 'dovecot',
    service: 'submissions',
  },
  {
    name: 'lmtp-ca',
    protocol: 'lmtp',
    scheme: 'lmtp',
    provider: 'signed',
    server: 'dovecot',
    service: 'lmtp',
  },
  {
    name: 'lmtp-tofu',
    protocol: 'lmtp',
    scheme: 'lmtp',
    provider: 'selfSigned',
    server: 'dovecot',
    service: 'lmtp',
  },
];

export interface Providers {
  readonly signed: MailLab;
  readonly selfSigned: MailLab;
  readonly letterlock: Letterlock;
  /** Local port of a route. */
  portOf(way: Way): number;
  /** Where the server of a route itself listens. */
  serverOf(way: Way): { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

/** Starts both providers and a letterlock with a route for each way. */
export async function startProviders(
  ways: readonly Way[],
  options: Omit<LabOptions, 'variant'>,
): Promise<Providers> {
  const [signed, selfSigned] = await Promise.all([
    startMailLab({ ...options, variant: 'ca1' }),
    startMailLab({ ...options, variant: 'self1' }),
  ]);
  const labs = { signed, selfSigned };
  const local = await freePorts('127.0.0.1', ways.length);
  const serverOf = (way: Way) => ({ host: serverHost, port: serverPort(labs[way.provider], way) });
  const portOf = (way: Way): number => local[ways.indexOf(way)] ?? 0;
  const routes = ways.map((way): LabRoute => {
    const { host, port } = serverOf(way);
    return {
      name: way.name,
      listen: portOf(way),
      // The real port keeps the endpoints apart: one endpoint has one trust setting.
      upstream: `${way.scheme}://mail.lab.test:${port}`,
      address: `${host}:${port}`,
      settings: way.provider === 'signed' ? { caFile: signed.caFile, trust: 'ca' } : { trust: 'tofu' },
    };
  });
  const stopLabs = () => Promise.all([signed.stop(), selfSigned.stop()]);
  const letterlock = await startLetterlock(routes).catch(async (error: unknown) => {
    await stopLabs();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await letterlock.stop();
    await stopLabs();
  };
  return { signed, selfSigned, letterlock, portOf, serverOf, stop };
}

function serverPort(lab: MailLab, { server, service }: Way): number {
  if (server === 'dovecot') return lab.dovecot.ports[service];
  if (service === 'submission' || service === 'submissions') return lab.postfix.ports[service];
  throw new Error(`Postfix does not serve ${service}`);
}
