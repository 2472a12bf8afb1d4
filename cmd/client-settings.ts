// What a person enters in the mail client for a route, in the words mail clients use.

import type { Protocol } from '../src/mail/protocol.ts';
import type { Route } from '../src/proxy/route.ts';
import { facts } from './table.ts';

const accounts: Readonly<Record<Protocol, string>> = {
  imap: 'incoming mail (IMAP)',
  pop3: 'incoming mail (POP3)',
  smtp: 'outgoing mail (SMTP)',
  lmtp: 'mail delivery (LMTP)',
  sieve: 'mail filters (ManageSieve)',
  tls: 'the program that connects',
};

export const clientLines = (routes: readonly Route[]): readonly string[] => [
  'Enter these settings in the mail client:',
  ...routes.flatMap((route) => [
    '',
    `${accounts[route.protocol]}, for ${route.upstream}`,
    ...facts(settingsOf(route)),
  ]),
  '',
];

function settingsOf(route: Route): readonly (readonly [string, string])[] {
  const { protocol } = route;
  const listen = placeOf(route);
  return [
    ['server', reachable(listen.host)],
    ['port', listen.port === 0 ? 'any free one: see the log' : String(listen.port)],
    ['security', 'none (letterlock speaks TLS to the server)'],
    ...userLines(protocol),
  ];
}

function userLines(protocol: Protocol): readonly (readonly [string, string])[] {
  if (protocol === 'lmtp' || protocol === 'tls') return [];
  return [
    ['user name', 'as with the provider'],
    ['password', 'as with the provider (authentication: normal password)'],
  ];
}

/** An address that stands for all addresses is not one a client can connect to. */
const reachable = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? 'the name of this machine' : host;

export const clientShape = (routes: readonly Route[]): readonly Record<string, unknown>[] =>
  routes.map((route) => ({
    route: route.name,
    upstream: route.upstream,
    protocol: route.protocol,
    server: placeOf(route).host,
    port: placeOf(route).port,
    security: 'none',
  }));

const placeOf = ({ listen: [place] }: Route): { readonly host: string; readonly port: number } =>
  place?.kind === 'tcp' ? place : { host: 'localhost', port: 0 };
