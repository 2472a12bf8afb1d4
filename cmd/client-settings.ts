// What a person enters in the mail client for a route, in the words mail clients use.

import { bracketed } from '../src/endpoint.ts';
import type { Protocol } from '../src/mail/protocol.ts';
import { targetsOf } from '../src/proxy/route.ts';
import type { ClientTlsSettings, ListenPlace, Route } from '../src/proxy/route.ts';
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
  ...routes.flatMap(routeLines),
  '',
];

/** One block for each place; any of them will do. */
const routeLines = (route: Route): readonly string[] =>
  route.listen.flatMap((place, index) => [
    '',
    `${index === 0 ? '' : 'or: '}${accounts[route.protocol]}, for ${targetsOf(route)
      .map(({ upstream }) => upstream)
      .join(', else ')}`,
    ...facts([...placeFacts(place), ...securityFacts(route.clientTls), ...userFacts(route.protocol)]),
  ]);

type Fact = readonly [string, string];

function placeFacts(place: ListenPlace): readonly Fact[] {
  switch (place.kind) {
    case 'tcp':
      return [
        ['server', reachable(place.host)],
        ['port', place.port === 0 ? 'any free one: see the log' : String(place.port)],
      ];
    case 'unix':
      return [['path', place.path]];
    case 'fd':
      return [['server', `where the service manager listens for ${place.name}`]];
  }
}

const securityNames: Readonly<Record<ClientTlsSettings['mode'], string>> = {
  off: 'none (letterlock speaks TLS to the server)',
  starttls: 'STARTTLS',
  implicit: 'SSL/TLS',
};

function securityFacts({ mode, files }: ClientTlsSettings): readonly Fact[] {
  const security: Fact = ['security', securityNames[mode]];
  if (mode === 'off' || files !== null) return [security];
  return [
    security,
    [
      'certificate',
      'by the local CA: import it once (letterlock local-ca export; letterlock local-ca install --print)',
    ],
  ];
}

function userFacts(protocol: Protocol): readonly Fact[] {
  if (protocol === 'lmtp' || protocol === 'tls') return [];
  return [
    ['user name', 'as with the provider'],
    ['password', 'as with the provider (authentication: normal password)'],
  ];
}

/** An address that stands for all addresses is not one a client can connect to. */
const reachable = (host: string): string =>
  host === '0.0.0.0' || host === '::' ? 'the name of this machine' : host;

/** One for each place; `server` and `port`, or else `socket`: a path, or `fd:NAME`. */
export const clientShape = (routes: readonly Route[]): readonly Record<string, unknown>[] =>
  routes.flatMap((route) =>
    route.listen.map((place) => ({
      route: route.name,
      upstream: route.upstream,
      protocol: route.protocol,
      server: place.kind === 'tcp' ? place.host : null,
      port: place.kind === 'tcp' ? place.port : null,
      socket: place.kind === 'tcp' ? null : place.kind === 'unix' ? place.path : `fd:${place.name}`,
      security: securityWords[route.clientTls.mode],
    })),
  );

const securityWords: Readonly<Record<ClientTlsSettings['mode'], string>> = {
  off: 'none',
  starttls: 'starttls',
  implicit: 'implicit',
};

/** Places with the port really bound, where any free one was asked for; `bound` as the daemon lists them. */
export function boundPlaces(
  listen: readonly ListenPlace[],
  bound: { readonly listen: string; readonly port: number | null } | undefined,
): readonly ListenPlace[] {
  if (bound === undefined) return listen;
  const free = bound.listen.split(', ');
  return listen.map((place) => {
    if (place.kind !== 'tcp' || place.port !== 0) return place;
    const host = place.host === 'localhost' ? '127.0.0.1' : bracketed(place.host);
    const index = free.findIndex((address) => address.startsWith(`${host}:`));
    const [found] = index === -1 ? [] : free.splice(index, 1);
    return { ...place, port: Number(found?.split(':').at(-1) ?? bound.port ?? place.port) };
  });
}
