// Reads the URL of a proxy on the way to the server. Its user name and password are the proxy's, never mail's;
// no message quotes them, and what shows a proxy shows stars.

import { bracketed, canonicalHost, parsePort } from '../endpoint.ts';
import type { Via } from '../proxy/route.ts';
import { nearest } from './nearest.ts';
import { quoted, UnusableValue } from './unusable.ts';

interface Row {
  readonly scheme: string;
  readonly kind: Via['kind'];
  readonly port: number;
}

/** Names travel to either kind of SOCKS proxy: what is looked up here would tell the network where one goes. */
const rows: readonly Row[] = [
  { scheme: 'socks5', kind: 'socks5', port: 1080 },
  { scheme: 'socks5h', kind: 'socks5', port: 1080 },
  { scheme: 'http', kind: 'http', port: 8080 },
];

const form = 'write socks5://HOST[:PORT] or http://HOST[:PORT]';

/** `socks5://[USER:PASSWORD@]HOST[:PORT]` or `http://…`. @throws UnusableValue or RangeError */
export function parseProxy(text: string): Via {
  const [whole, scheme = '', authority = '', rest = ''] = /^([^:/?#@]*):\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  // Without a scheme nothing tells what of it is a password: it is not quoted.
  if (whole === undefined) throw new UnusableValue('the proxy is not a URL', form);
  const row = rowOf(scheme);
  if (rest !== '')
    throw new UnusableValue(
      `${quoted(text)} holds a path, query or fragment`,
      'end it after the port; in a user name or password write / as %2F, ? as %3F and # as %23',
    );
  const at = authority.lastIndexOf('@');
  const { host, port } = hostAndPort(authority.slice(at + 1), text);
  return {
    kind: row.kind,
    host: canonicalHost(host).host,
    port: port === null ? row.port : parsePort(port),
    login: at === -1 ? null : loginOf(authority.slice(0, at), text),
  };
}

function rowOf(written: string): Row {
  const row = rows.find(({ scheme }) => scheme === written.toLowerCase());
  if (row !== undefined) return row;
  if (written.toLowerCase() === 'https')
    throw new UnusableValue(
      'TLS to the proxy itself is not spoken: the mail server gets its own through the tunnel',
      'write http://',
    );
  const near = nearest(
    written,
    rows.map(({ scheme }) => scheme),
  );
  throw new UnusableValue(
    `${quoted(written)} is not a kind of proxy letterlock knows`,
    near === null ? form : `did you mean ${near}://?`,
  );
}

function hostAndPort(text: string, url: string): { readonly host: string; readonly port: string | null } {
  const [whole, host = '', port] = /^(\[[^[\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(text) ?? [];
  if (whole === undefined || host === '')
    throw new UnusableValue(
      `${quoted(url)} has no host that can be read`,
      `${form}, an IPv6 address in brackets`,
    );
  return { host, port: port ?? null };
}

function loginOf(userinfo: string, url: string): NonNullable<Via['login']> {
  const colon = userinfo.indexOf(':');
  const user = decoded(colon === -1 ? userinfo : userinfo.slice(0, colon), url);
  const password = colon === -1 ? '' : decoded(userinfo.slice(colon + 1), url);
  if (user === '') throw new UnusableValue(`${quoted(url)} holds a password without a user name`);
  return { user, password };
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UnusableValue(
      `the user name or password of ${quoted(url)} is not percent-encoded UTF-8`,
      'write % as %25',
    );
  }
}

/** Longest user name and password that SOCKS can carry (RFC 1929), in bytes; no more is needed elsewhere. */
const maxLoginBytes = 255;

/** What makes a login unusable for the kind of proxy; null when nothing does. */
export function loginFault({ kind, login }: Via): string | null {
  if (login === null) return null;
  const { user, password } = login;
  // A line end would begin another header of the request.
  if (/\p{Cc}/u.test(user + password))
    return 'the user name or password of the proxy holds a control character';
  if (Buffer.byteLength(user) > maxLoginBytes || Buffer.byteLength(password) > maxLoginBytes)
    return `the user name or password of the proxy is longer than ${maxLoginBytes} bytes`;
  // RFC 7617: the first colon ends the user name.
  if (kind === 'http' && user.includes(':')) return 'the user name of an HTTP proxy cannot hold a colon';
  if (kind === 'socks5' && password === '') return 'a SOCKS proxy takes no user name without a password';
  return null;
}

/** The URL as people may see it. */
export function proxyText({ kind, host, port, login }: Via): string {
  const user =
    login === null ? '' : `${encodeURIComponent(login.user)}${login.password === '' ? '' : ':***'}@`;
  return `${kind}://${user}${bracketed(host)}:${port}`;
}
