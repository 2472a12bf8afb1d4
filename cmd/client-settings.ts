// What a person enters in the mail client for a route, in the words mail clients use.

import type { Protocol } from '../src/mail/protocol.ts';
import type { ListenPlace, Route } from '../src/proxy/route.ts';
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
  return [
    ...placeLines(route),
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

function placeLines(route: Route): readonly (readonly [string, string])[] {
  const place = placeOf(route);
  switch (place?.kind) {
    case 'tcp':
      return [
        ['server', reachable(place.host)],
        ['port', place.port === 0 ? 'any free one: see the log' : String(place.port)],
      ];
    case 'unix':
      return [['socket', place.path]];
    case 'fd':
      return [['server', `as in the unit that passes the socket ${place.name}`]];
    case undefined:
      return [];
  }
}

/** An address that stands for all addresses is not one a client can connect to. */
const reachable = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? 'the name of this machine' : host;

export const clientShape = (routes: readonly Route[]): readonly Record<string, unknown>[] =>
  routes.map((route) => ({
    route: route.name,
    upstream: route.upstream,
    protocol: route.protocol,
    ...placeShape(route),
    security: 'none',
  }));

const placeShape = (route: Route): { readonly server: string | null; readonly port: number | null } => {
  const place = placeOf(route);
  if (place?.kind === 'tcp') return { server: place.host, port: place.port };
  return { server: place?.kind === 'unix' ? place.path : null, port: null };
};

/** What most mail clients can use: a host and a port, where there are any. */
const placeOf = ({ listen }: Route): ListenPlace | undefined =>
  listen.find(({ kind }) => kind === 'tcp') ?? listen[0];
