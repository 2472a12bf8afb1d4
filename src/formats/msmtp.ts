// msmtprc and mpoprc: one setting a line, accounts that inherit from `defaults` and from each other. Passwords stand
// in these files; only the settings named here are kept, and no line is ever repeated whole.

import { colons } from '../trust/fingerprint.ts';
import { byCertificate, digestOf, type Printer } from './printing.ts';
import { Findings, linesOf, type Reader, type Source } from './reading.ts';

type Key = 'host' | 'port' | 'tls_fingerprint' | 'tls_starttls' | 'tls' | 'protocol';
const keys: readonly string[] = ['host', 'port', 'tls_fingerprint', 'tls_starttls', 'tls', 'protocol'];
const isKey = (name: string): name is Key => keys.includes(name);

interface Setting {
  readonly line: number;
  readonly value: string;
}
type Account = Partial<Readonly<Record<Key, Setting>>>;

const standardPorts = { msmtp: { plain: 25, tls: 465 }, mpop: { plain: 110, tls: 995 } } as const;

const reader =
  (program: 'msmtp' | 'mpop'): Reader =>
  (source) => {
    const found = new Findings(source);
    for (const account of accountsOf(source, found)) addAccount(account, { program, found });
    return found;
  };

export const readMsmtp = reader('msmtp');
export const readMpop = reader('mpop');

function accountsOf(source: Source, found: Findings): readonly Account[] {
  const accounts = new Map<string, Account>();
  let current = 'defaults';
  for (const [line, text] of linesOf(source.text)) {
    const [, name = '', value = ''] = /^\s*([\w-]+)(?:\s+(.*?))?\s*$/.exec(text) ?? [];
    if (name === 'defaults') current = 'defaults';
    else if (name === 'account') {
      const [own = '', parents = ''] = value.split(/\s*:\s*/, 2).map(unquoted);
      current = `account ${own}`;
      const inherited = parents.split(',').map((parent) => accounts.get(`account ${parent.trim()}`) ?? {});
      accounts.set(current, Object.assign({}, accounts.get('defaults') ?? {}, ...inherited));
    } else if (isKey(name))
      accounts.set(current, { ...accounts.get(current), [name]: { line, value: unquoted(value) } });
    else if (name === 'eval') found.skip(line, 'eval is not run');
  }
  return [...accounts].filter(([name]) => name !== 'defaults').map(([, account]) => account);
}

const unquoted = (text: string): string => /^"(.*)"$/.exec(text.trim())?.[1] ?? text.trim();

function addAccount(
  account: Account,
  { program, found }: { readonly program: 'msmtp' | 'mpop'; readonly found: Findings },
): void {
  const { host, port, tls_fingerprint: fingerprint } = account;
  if (fingerprint === undefined || fingerprint.value === '') return;
  const { line } = fingerprint;
  if (host === undefined) return found.problem(line, 'no host stands beside this fingerprint');
  const known = port?.value ?? standardPort(account, program);
  if (known === null) return found.problem(line, `${host.value}: no port stands beside this fingerprint`);
  const endpoint = found.endpoint(line, host.value, known);
  if (endpoint !== null) found.certificateHash(line, endpoint, fingerprint.value);
}

/** The port the program takes by itself; LMTP has none. */
function standardPort(account: Account, program: 'msmtp' | 'mpop'): number | null {
  if (account.protocol?.value === 'lmtp') return null;
  const { plain, tls } = standardPorts[program];
  return account.tls?.value === 'on' && account.tls_starttls?.value === 'off' ? tls : plain;
}

/** One certificate for an account; the others are there to be chosen. */
const printFingerprint: Printer = (exported) =>
  byCertificate(exported, (seen) =>
    seen.map(
      ({ der }, at) => `${at === 0 ? '' : '# or: '}tls_fingerprint ${colons(digestOf(der, 'sha256'))}`,
    ),
  );

export const printMsmtp: Printer = printFingerprint;
export const printMpop: Printer = printFingerprint;
