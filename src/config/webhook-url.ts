// Reads the URL of a webhook's receiver. Its path is often as good as a password: no message quotes it, and what shows it
// shows stars.

import { bracketed, canonicalHost, parsePort } from '../endpoint.ts';
import type { WebhookUrl } from '../ops/hooks/hook.ts';
import { UnusableValue } from './unusable.ts';
import { isLoopback } from './upstream.ts';

const usualPorts = { https: 443, http: 80 } as const;

/** @throws UnusableValue or RangeError */
export function parseWebhook(text: string): WebhookUrl {
  const [whole, written = '', authority = '', rest = ''] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  if (whole === undefined) throw new UnusableValue('it is not a URL', 'write https://HOST[:PORT]/PATH');
  const scheme = schemeOf(written.toLowerCase());
  if (authority.includes('@'))
    throw new UnusableValue('it holds a user name', 'remove it: notices are signed with secret: instead');
  if (rest.includes('#')) throw new UnusableValue('it holds a fragment', 'remove # and what follows');
  if (!/^[\x21-\x7e]*$/.test(rest))
    throw new UnusableValue('its path holds a character that no URL has', 'write it as %XX');
  const { host, port } = splitAuthority(authority);
  const place = {
    scheme,
    host: canonicalHost(host).host,
    port: port === null ? usualPorts[scheme] : parsePort(port),
  };
  if (scheme === 'http' && !isLoopback(place.host))
    throw new UnusableValue(
      `${place.host} is not on this machine, and http:// is in clear`,
      'write https://; a receiver with a certificate of its own needs caFile: or pins:',
    );
  return { ...place, path: rest.startsWith('/') ? rest : `/${rest}` };
}

function schemeOf(written: string): WebhookUrl['scheme'] {
  if (written === 'https' || written === 'http') return written;
  throw new UnusableValue(`${JSON.stringify(written)} is no scheme of a webhook`, 'write https://');
}

function splitAuthority(authority: string): { readonly host: string; readonly port: string | null } {
  const [whole, host = '', port] = /^(\[[^[\]]*\]|[^:[\]]*)(?::([^:]*))?$/s.exec(authority) ?? [];
  if (whole === undefined || host === '')
    throw new UnusableValue(
      'it names no host',
      'write https://HOST[:PORT]/PATH, an IPv6 address in brackets',
    );
  return { host, port: port ?? null };
}

/** As people may see it. */
export function webhookText({ scheme, host, port, path }: WebhookUrl): string {
  const at = port === usualPorts[scheme] ? '' : `:${port}`;
  return `${scheme}://${bracketed(host)}${at}${path === '/' ? '/' : '/***'}`;
}
