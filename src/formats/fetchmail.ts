// fetchmailrc: tokens, not lines. `sslfingerprint` is the MD5 of the certificate, whatever its manual calls it, and
// fetchmail knows no other. Passwords stand in these files: only what is named here is kept or repeated.

import { colons } from '../trust/fingerprint.ts';
import { byCertificate, digestOf, type Printer } from './printing.ts';
import { Findings, type Reader } from './reading.ts';

interface Token {
  readonly line: number;
  readonly text: string;
  readonly quoted: boolean;
}

/** Quoted text may hold anything; outside, commas, colons, semicolons and equal signs only separate. */
const tokenPattern = /\n|#[^\n]*|"((?:[^"\\]|\\[^])*)"?|'((?:[^'\\]|\\[^])*)'?|[^\s,;:=#"']+/g;

function tokensOf(text: string): readonly Token[] {
  let line = 1;
  const tokens: Token[] = [];
  for (const [whole, double, single] of text.matchAll(tokenPattern)) {
    const quoted = double ?? single;
    if (whole !== '\n' && !whole.startsWith('#'))
      tokens.push({ line, text: quoted ?? whole, quoted: quoted !== undefined });
    line += (whole.match(/\n/g) ?? []).length;
  }
  return tokens;
}

/** Words that a value follows: what looks like a keyword there is none. */
const valued = new Set(
  (
    'via protocol proto service port interval timeout envelope qvirtual plugin plugout principal localdomains aka ' +
    'auth authenticate user username password pass folder smtphost fetchdomains smtpaddress smtpname antispam mda ' +
    'bsmtp preconnect postconnect limit warnings batchlimit fetchlimit fetchsizelimit fastuidl expunge properties ' +
    'sslcert sslkey sslproto sslcertfile sslcertpath sslcommonname sslfingerprint logfile pidfile idfile daemon ' +
    'postmaster is to'
  ).split(' '),
);

interface Server {
  readonly host: string;
  readonly protocol: string;
  readonly port: string | null;
}

const standardPorts: Readonly<Record<string, { readonly plain: number; readonly ssl: number }>> = {
  imap: { plain: 143, ssl: 993 },
  pop3: { plain: 110, ssl: 995 },
};

interface User {
  readonly ssl: boolean;
  readonly fingerprint: Token | null;
}

export const readFetchmail: Reader = (source) => {
  const found = new Findings(source);
  const noUser: User = { ssl: false, fingerprint: null };
  let defaults = { server: { host: '', protocol: '', port: null } as Server, user: noUser };
  let [server, user, inDefaults] = [defaults.server, noUser, false];
  const finish = (): void => {
    if (inDefaults) defaults = { server, user };
    else addUser(user, { server, found });
  };
  for (const [word, value] of wordsOf(tokensOf(source.text))) {
    if (['poll', 'server', 'skip', 'defaults'].includes(word.text)) {
      finish();
      inDefaults = word.text === 'defaults';
      server = { ...defaults.server, host: value?.text ?? '' };
      user = defaults.user;
    } else if (['user', 'username'].includes(word.text)) {
      if (!inDefaults) finish();
      user = defaults.user;
    } else if (word.text === 'ssl') user = { ...user, ssl: true };
    else if (word.text === 'sslfingerprint') user = { ...user, fingerprint: value };
    else server = { ...server, ...serverOption(word.text, value?.text ?? '') };
  }
  finish();
  return found;
};

/** Each unquoted word with the value that belongs to it. */
function wordsOf(tokens: readonly Token[]): readonly (readonly [Token, Token | null])[] {
  const words: (readonly [Token, Token | null])[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || token.quoted) continue;
    const takes = valued.has(token.text) || ['poll', 'server', 'skip'].includes(token.text);
    words.push([token, takes ? (tokens[at + 1] ?? null) : null]);
    if (takes) at += 1;
  }
  return words;
}

function serverOption(name: string, value: string): Partial<Server> {
  switch (name) {
    case 'via':
      return { host: value };
    case 'protocol':
    case 'proto':
      return { protocol: value.toLowerCase() };
    case 'service':
    case 'port':
      return { port: value };
    default:
      return {};
  }
}

function addUser(
  { ssl, fingerprint }: User,
  { server, found }: { readonly server: Server; readonly found: Findings },
): void {
  if (fingerprint === null || server.host === '') return;
  const { line, text } = fingerprint;
  const standard = standardPorts[server.protocol];
  const port = server.port ?? (standard === undefined ? null : ssl ? standard.ssl : standard.plain);
  if (port === null)
    return found.problem(line, `${server.host}: neither protocol imap or pop3 nor a port is said`);
  const endpoint = found.endpoint(line, server.host, port);
  if (endpoint !== null) found.certificateHash(line, endpoint, text);
}

/** fetchmail holds one MD5 for a user. */
export const printFetchmail: Printer = (exported) => {
  if (!exported.weak)
    return {
      problem: `${exported.endpoint.name}: fetchmail compares MD5 only, which does not tell two certificates apart for sure; --weak prints it all the same`,
    };
  return byCertificate(exported, (seen) =>
    seen.map(
      ({ der }, at) =>
        `${at === 0 ? '' : '# or: '}no sslcertck sslfingerprint "${colons(digestOf(der, 'md5'))}"`,
    ),
  );
};
