// What the fake servers say: one honest script for each protocol and TLS mode, with a mark in everything said
// before TLS, so that a test can see whether any of it reached the client.

import type { Protocol, UpstreamTls } from '../../src/mail/protocol.ts';
import type { Step } from './world.ts';

type MailProtocol = Exclude<Protocol, 'tls'>;

/** Stands in every line a server says before TLS. */
export const clearMark = 'said-in-clear';

export const mailProtocols: readonly MailProtocol[] = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'];

const greetings: Readonly<Record<MailProtocol, string>> = {
  imap: '* OK [CAPABILITY IMAP4rev1] server ready\r\n',
  pop3: '+OK server ready\r\n',
  smtp: '220-mail.test first\r\n220 server ready\r\n',
  lmtp: '220 server ready\r\n',
  sieve: '"IMPLEMENTATION" "server ready"\r\n"SASL" "PLAIN"\r\nOK\r\n',
};

const negatives: Readonly<Record<MailProtocol, string>> = {
  imap: '* BYE too many\r\n',
  pop3: '-ERR too many\r\n',
  smtp: '554 too many\r\n',
  lmtp: '421 too many\r\n',
  sieve: 'BYE "too many"\r\n',
};

/** Greeting, what is asked, the list with STARTTLS in it, what is asked then, the go-ahead. */
interface Clear {
  readonly greeting: string;
  readonly ask: string | null;
  readonly list: string;
  readonly startTls: string;
  readonly goAhead: string;
}

export const clears: Readonly<Record<MailProtocol, Clear>> = {
  imap: {
    greeting: `* OK ${clearMark}\r\n`,
    ask: 'CAPABILITY\r\n',
    list: `* CAPABILITY IMAP4rev1 STARTTLS X-${clearMark}\r\nz1 OK ${clearMark}\r\n`,
    startTls: 'STARTTLS\r\n',
    goAhead: `z2 OK ${clearMark}\r\n`,
  },
  pop3: {
    greeting: `+OK ${clearMark} <1.2@${clearMark}>\r\n`,
    ask: 'CAPA\r\n',
    list: `+OK\r\nSTLS\r\nIMPLEMENTATION ${clearMark}\r\n.\r\n`,
    startTls: 'STLS\r\n',
    goAhead: `+OK ${clearMark}\r\n`,
  },
  smtp: {
    greeting: `220 ${clearMark}\r\n`,
    ask: 'EHLO',
    list: `250-${clearMark}\r\n250 STARTTLS\r\n`,
    startTls: 'STARTTLS\r\n',
    goAhead: `220 ${clearMark}\r\n`,
  },
  lmtp: {
    greeting: `220 ${clearMark}\r\n`,
    ask: 'LHLO',
    list: `250-${clearMark}\r\n250 STARTTLS\r\n`,
    startTls: 'STARTTLS\r\n',
    goAhead: `220 ${clearMark}\r\n`,
  },
  sieve: {
    greeting: '',
    ask: null,
    list: `"IMPLEMENTATION" "${clearMark}"\r\n"STARTTLS"\r\nOK "${clearMark}"\r\n`,
    startTls: 'STARTTLS\r\n',
    goAhead: `OK "${clearMark}"\r\n`,
  },
};

export const greetingOf = (protocol: Protocol): string => (protocol === 'tls' ? '' : greetings[protocol]);
export const negativeOf = (protocol: MailProtocol): string => negatives[protocol];

/** Everything up to and including the go-ahead, with `changes` in place of the honest lines. */
export function prologueOf(protocol: MailProtocol, changes: Partial<Clear> = {}): readonly Step[] {
  const { greeting, ask, list, startTls, goAhead } = { ...clears[protocol], ...changes };
  const question: readonly Step[] = ask === null ? [] : [{ hear: ask }];
  return [{ say: greeting }, ...question, { say: list }, { hear: startTls }, { say: goAhead }];
}

/** A server that does as it should, and then sends back what it is sent. */
export function honest(protocol: Protocol, upstreamTls: UpstreamTls): readonly Step[] {
  const echo: readonly Step[] = [{ do: 'tls' }, { say: greetingOf(protocol) }, { do: 'echo' }];
  if (upstreamTls === 'implicit' || protocol === 'tls') return echo;
  // Only ManageSieve says something by itself after STARTTLS.
  const said: Step = { say: protocol === 'sieve' ? greetingOf(protocol) : '' };
  return [...prologueOf(protocol), { do: 'tls' }, said, { do: 'echo' }];
}
