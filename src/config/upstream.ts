// Reads an upstream URL and the `[ADDR:]PORT=URL` form of the command line. Never through the platform's URL
// class: it leaves hosts of unknown schemes alone and drops or repairs what a person should be told about.

import { bracketed, canonicalHost, endpointOf, parsePort } from '../endpoint.ts';
import type { Host } from '../endpoint.ts';
import { schemeNamed, schemes } from '../mail/protocol.ts';
import type { Scheme } from '../mail/protocol.ts';
import { nearest } from './nearest.ts';
import { quoted, UnusableValue } from './unusable.ts';

export interface Upstream {
  /** The canonical row of protocol and mode, also when an alias was written. */
  readonly scheme: Scheme;
  readonly host: Host;
  readonly port: number;
}

/** @throws UnusableValue or RangeError, each naming the value */
export function parseUpstream(text: string): Upstream {
  const parts = /^([^:/?#]*):\/\/([^/?#]*)(.*)$/s.exec(text);
  if (parts === null) throw new UnusableValue(`${quoted(text)} is not a URL`, urlHint(text));
  const scheme = readScheme(parts[1] ?? '');
  const [, , authority = '', rest = ''] = parts;
  // A password may hold what ends an authority: then it is before the @ all the same, and must not be proposed.
  if (authority.includes('@') || rest.includes('@'))
    throw new UnusableValue(
      `${quoted(text)} holds a user name`,
      'remove it: the mail client logs in, letterlock does not',
    );
  if (rest !== '')
    throw new UnusableValue(
      `${quoted(text)} holds a path, query or fragment`,
      `write ${parts[1] ?? ''}://${authority}`,
    );
  const { host, port } = splitAuthority(authority, text);
  return {
    scheme: canonicalScheme(scheme),
    host: canonicalHost(host),
    port: port === null ? defaultPort(scheme, text) : parsePort(port),
  };
}

/** As status, logs and page show it; the port stands only where it is not the scheme's own. */
export const upstreamUrl = ({ scheme, host, port }: Upstream): string =>
  `${scheme.scheme}://${bracketed(host.host)}${port === scheme.port ? '' : `:${port}`}`;

/** `[ADDR:]PORT=URL`, `unix:PATH=URL`, `fd:NAME=URL` or `URL`, split; the listening part is null for a bare URL. */
export function splitRouteArgument(text: string): {
  readonly listen: string | null;
  readonly upstream: string;
} {
  const parts = /^(unix:[^=]*|[^=/]*)=(.*)$/s.exec(text);
  if (parts === null) return { listen: null, upstream: text };
  const listen = parts[1] ?? '';
  return { listen: /^\d*$/.test(listen) ? `localhost:${listen}` : listen, upstream: parts[2] ?? '' };
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT` to bind; port 0 takes any free one. @throws UnusableValue or RangeError */
export function parseListen(text: string): Address {
  const parts = /^(\[[^[\]]*\]|[^:[\]]*):(\d*)$/s.exec(text);
  if (parts === null || parts[1] === '')
    throw new UnusableValue(`${quoted(text)} is not an address to listen on`, listenHint(text));
  const port = parts[2] ?? '';
  return { host: canonicalHost(parts[1] ?? '').host, port: port === '0' ? 0 : parsePort(port) };
}

/** `HOST:PORT` or `HOST` to connect to. @throws RangeError */
export function parseAddress(text: string, defaultPortNumber: number): Address {
  const parts = /^(\[[^[\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(text);
  if (parts === null)
    throw new UnusableValue(
      `${quoted(text)} is not an address to connect to`,
      'write HOST:PORT, an IPv6 address in brackets',
    );
  const endpoint = endpointOf(
    parts[1] ?? '',
    parts[2] === undefined ? defaultPortNumber : parsePort(parts[2]),
  );
  return { host: endpoint.host, port: endpoint.port };
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);

function readScheme(written: string): Scheme {
  const scheme = schemeNamed(written.toLowerCase());
  if (scheme !== null) return scheme;
  const names = schemes.map((row) => row.scheme);
  const near = nearest(written, names);
  throw new UnusableValue(
    `${quoted(written)} is not a scheme letterlock knows`,
    near === null ? `use one of ${names.join(', ')}` : `did you mean ${near}://?`,
  );
}

const canonicalScheme = (scheme: Scheme): Scheme =>
  schemes.find((row) => row.protocol === scheme.protocol && row.upstreamTls === scheme.upstreamTls) ?? scheme;

function splitAuthority(
  authority: string,
  text: string,
): { readonly host: string; readonly port: string | null } {
  const parts = /^(\[[^[\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(authority);
  if (parts === null)
    throw new UnusableValue(
      `${quoted(text)} has no host that can be read`,
      'write an IPv6 address in brackets, like imaps://[2001:db8::1]',
    );
  if (parts[1] === '')
    throw new UnusableValue(
      `${quoted(text)} names no host`,
      'write imaps://HOST, with the name of the mail server',
    );
  return { host: parts[1] ?? '', port: parts[2] ?? null };
}

function defaultPort(scheme: Scheme, text: string): number {
  if (scheme.port !== null) return scheme.port;
  throw new UnusableValue(
    `${quoted(text)} names no port`,
    `${scheme.scheme}:// has no usual port: write ${text}:PORT`,
  );
}

function urlHint(text: string): string {
  if (/^[A-Za-z0-9._-]+:\d+$/.test(text)) return `write a scheme in front, like imaps://${text}`;
  return 'write SCHEME://HOST[:PORT], like imaps://imap.example.org';
}

function listenHint(text: string): string {
  const port = /^:?(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined) return `write localhost:${port}`;
  if (/^\*:\d+$/.test(text))
    return `write 0.0.0.0${text.slice(1)} for every IPv4 address, and unsafeListen: true`;
  return 'write HOST:PORT, like localhost:1143 or 127.0.0.1:1143';
}
