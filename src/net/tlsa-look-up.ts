// One look-up of the TLSA records of an endpoint (RFC 6698 section 3, RFC 7671 section 7), and how far what it found is proven: by
// the AD bit of a resolver that is believed. An alias is followed first and the name as configured asked second; an alias that
// is not proven is not followed.

import { canonicalHost, type Endpoint } from '../endpoint.ts';
import type { TlsaAnswer, TlsaRecord } from '../trust/dane.ts';
import { recordTypes, type DnsMessage, type DnsRecord } from './dns-message.ts';
import { ResolverError, type DnsLine } from './resolver.ts';

const maxRecords = 64;
/** A chain of aliases longer than this leads nowhere. */
const maxAliases = 16;
/** However long the DNS says that an answer holds, milliseconds. */
export const maxKeptMs = 3_600_000;

/** `now` is when it began: time only makes answers older. @throws ResolverError */
export const lookUp = (line: DnsLine, endpoint: Endpoint, now: number): Promise<TlsaAnswer> =>
  new LookUp(line, endpoint, now).answer();

/** What was found at one name. */
type Found =
  | { readonly state: 'records'; readonly records: readonly TlsaRecord[]; readonly ttl: number }
  | { readonly state: 'absent' | 'insecure'; readonly ttl: number }
  | { readonly state: 'bogus' };

class LookUp {
  readonly #line: DnsLine;
  readonly #endpoint: Endpoint;
  readonly #now: number;

  constructor(line: DnsLine, endpoint: Endpoint, now: number) {
    this.#line = line;
    this.#endpoint = endpoint;
    this.#now = now;
  }

  async answer(): Promise<TlsaAnswer> {
    const { host } = this.#endpoint;
    const addresses = await this.#ask(host, recordTypes.a);
    if (addresses === null) return { state: 'bogus', detail: host };
    const alias = provenAlias(addresses, host);
    if (alias === null) return this.#told(await this.#recordsOf(host), { name: host, ttl: Infinity });
    const expanded = await this.#recordsOf(alias.name);
    if (expanded.state === 'records' || expanded.state === 'bogus') return this.#told(expanded, alias);
    const ttl = Math.min(alias.ttl, expanded.ttl);
    return this.#told(await this.#recordsOf(host), { name: host, ttl });
  }

  #told(found: Found, base: Alias): TlsaAnswer {
    const { host } = this.#endpoint;
    const detail = this.#owner(base.name);
    if (found.state === 'bogus') return { state: 'bogus', detail };
    const expires = this.#now + Math.min(found.ttl * 1_000, base.ttl * 1_000, maxKeptMs);
    if (found.state !== 'records') return { state: found.state, detail, expires };
    const others = base.name === host ? [] : [host];
    return { state: 'records', records: found.records, names: [base.name, ...others], expires };
  }

  #owner(host: string): string {
    return `_${this.#endpoint.port}._tcp.${host}`;
  }

  async #recordsOf(host: string): Promise<Found> {
    const owner = this.#owner(host);
    const message = await this.#ask(owner, recordTypes.tlsa);
    if (message === null) return { state: 'bogus' };
    const { name, ttl } = endOfAliases(message, owner);
    const records = message.answers.filter(
      (record) => record.type === recordTypes.tlsa && record.name === name,
    );
    const known = Math.min(ttl, shortest(records));
    if (!message.isAuthentic) return { state: 'insecure', ttl: negativeTtl(message, known) };
    if (records.length === 0) return { state: 'absent', ttl: negativeTtl(message, known) };
    if (records.length > maxRecords) throw new ResolverError(`more than ${maxRecords} TLSA records`);
    return { state: 'records', records: records.map(tlsaOf), ttl: known };
  }

  /** Null when there is an answer and its signatures do not verify. @throws ResolverError */
  async #ask(name: string, type: number): Promise<DnsMessage | null> {
    const message = await this.#line.ask({ name, type });
    if (isAnswered(message)) return message;
    if (message.rcode !== servfail)
      throw new ResolverError(`the resolver answered ${rcodeName(message.rcode)}`);
    // The same code stands for bad signatures and for servers that do not answer: asked not to check, only the latter stay.
    const unchecked = await this.#line.ask({ name, type, checkingDisabled: true });
    if (isAnswered(unchecked)) return null;
    throw new ResolverError('the resolver answered SERVFAIL');
  }
}

const servfail = 2;
const nxdomain = 3;

const isAnswered = ({ rcode }: DnsMessage): boolean => rcode === 0 || rcode === nxdomain;

const rcodeName = (rcode: number): string =>
  ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'][rcode] ?? `code ${rcode}`;

interface Alias {
  readonly name: string;
  readonly ttl: number;
}

/** Where the aliases of a host end, when all of them are proven and it is a host name; null without any. */
function provenAlias(message: DnsMessage, host: string): Alias | null {
  const { name, ttl } = endOfAliases(message, host);
  if (!message.isAuthentic || name === host || !isHost(name)) return null;
  return { name, ttl };
}

function endOfAliases({ answers }: DnsMessage, from: string): Alias {
  let name = from;
  let ttl = Infinity;
  for (let steps = 0; steps <= maxAliases; steps += 1) {
    const alias = answers.find((record) => record.type === recordTypes.cname && record.name === name);
    if (alias === undefined || alias.target === null) return { name, ttl };
    name = alias.target;
    ttl = Math.min(ttl, alias.ttl);
  }
  throw new ResolverError('its aliases have no end');
}

function isHost(name: string): boolean {
  try {
    const { host, kind } = canonicalHost(name);
    return kind === 'dns' && host === name;
  } catch {
    return false;
  }
}

function tlsaOf({ data }: DnsRecord): TlsaRecord {
  const [usage, selector, matching] = data;
  if (usage === undefined || selector === undefined || matching === undefined)
    throw new ResolverError('a TLSA record is cut short');
  return { usage, selector, matching, data: Uint8Array.from(data.subarray(3)) };
}

const shortest = (records: readonly DnsRecord[]): number =>
  Math.min(Infinity, ...records.map(({ ttl }) => ttl));

/**
 * RFC 2308 section 5: the lesser of the SOA's own time and its last field, and of `known`, what aliases and records to the
 * question say. Without any of them an answer is not kept: records that nobody asked for say nothing of its time.
 */
function negativeTtl({ authorities }: DnsMessage, known: number): number {
  const soa = authorities.find(({ type }) => type === recordTypes.soa);
  if (soa === undefined || soa.data.length < 4) return Number.isFinite(known) ? known : 0;
  return Math.min(known, soa.ttl, Buffer.from(soa.data).readUInt32BE(soa.data.length - 4));
}
