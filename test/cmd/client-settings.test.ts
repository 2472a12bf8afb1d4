// What a person is told to enter in the mail client, and a program as JSON.

import { describe, expect, it } from 'vitest';
import { boundPlaces, clientLines, clientShape } from '../../cmd/client-settings.ts';
import { endpointOf } from '../../src/endpoint.ts';
import type { ListenPlace, Route } from '../../src/proxy/route.ts';
import { plainRoute } from '../proxy/route.ts';

const own = { certificate: '/c.pem', key: '/k.pem' };
const tcp = (host: string, port: number): ListenPlace => ({ kind: 'tcp', host, port });
const socket: ListenPlace = { kind: 'unix', path: '/run/x.sock', mode: 0o600, group: null };
const route: Route = { ...plainRoute, listen: [tcp('localhost', 1143)] };
const withTls = (mode: Route['clientTls']['mode'], files: Route['clientTls']['files'] = null): Route => ({
  ...route,
  clientTls: { mode, minVersion: 'TLSv1.2', files },
});

const importing =
  '  certificate  by the local CA: import it once (letterlock local-ca export; letterlock local-ca install --print)';

describe('the settings of a mail client', () => {
  it('in clear', () => {
    expect(clientLines([route])).toEqual([
      'Enter these settings in the mail client:',
      '',
      'incoming mail (IMAP), for imaps://127.0.0.1',
      '  server     localhost',
      '  port       1143',
      '  security   none (letterlock speaks TLS to the server)',
      '  user name  as with the provider',
      '  password   as with the provider (authentication: normal password)',
      '',
    ]);
  });

  it.each([
    ['starttls', null, '  security     STARTTLS', importing],
    ['implicit', null, '  security     SSL/TLS', importing],
    ['starttls', own, '  security   STARTTLS', '  user name  as with the provider'],
    ['implicit', own, '  security   SSL/TLS', '  user name  as with the provider'],
  ] as const)('with %s and the certificate %j', (mode, files, security, next) => {
    expect(clientLines([withTls(mode, files)]).slice(5, 7)).toEqual([security, next]);
  });

  it('stand there for every place, and name every server', () => {
    const second = { ...plainRoute, endpoint: endpointOf('b.example', 993), upstream: 'imaps://b.example' };
    const lines = clientLines([
      {
        ...route,
        listen: [tcp('0.0.0.0', 1143), socket, { kind: 'fd', name: 'imap' }],
        others: [second],
      },
    ]);
    expect(lines.filter((line) => /^(?:or: )?incoming| {2}(?:server|port|path)/.test(line))).toEqual([
      'incoming mail (IMAP), for imaps://127.0.0.1, else imaps://b.example',
      '  server     the name of this machine',
      '  port       1143',
      'or: incoming mail (IMAP), for imaps://127.0.0.1, else imaps://b.example',
      '  path       /run/x.sock',
      'or: incoming mail (IMAP), for imaps://127.0.0.1, else imaps://b.example',
      '  server     where the service manager listens for imap',
    ]);
  });

  it('are JSON for programs', () => {
    const common = { route: 'imap-test', upstream: 'imaps://127.0.0.1', protocol: 'imap' };
    expect(
      clientShape([
        { ...route, listen: [tcp('localhost', 1143), socket, { kind: 'fd', name: 'imap' }] },
        withTls('starttls'),
        withTls('implicit', own),
      ]),
    ).toEqual([
      { ...common, server: 'localhost', port: 1143, socket: null, security: 'none' },
      { ...common, server: null, port: null, socket: '/run/x.sock', security: 'none' },
      { ...common, server: null, port: null, socket: 'fd:imap', security: 'none' },
      { ...common, server: 'localhost', port: 1143, socket: null, security: 'starttls' },
      { ...common, server: 'localhost', port: 1143, socket: null, security: 'implicit' },
    ]);
  });
});

describe('a port that was to be any free one', () => {
  const bound = {
    listen: '127.0.0.1:4001, [::1]:4001, 127.0.0.2:4002, 127.0.0.2:4003, unix:/run/x',
    port: 4001,
  };

  it('is the one bound for that place', () => {
    expect(
      boundPlaces(
        [tcp('localhost', 0), tcp('127.0.0.2', 0), tcp('127.0.0.2', 0), tcp('::1', 7), socket],
        bound,
      ),
    ).toEqual([
      tcp('localhost', 4001),
      tcp('127.0.0.2', 4002),
      tcp('127.0.0.2', 4003),
      tcp('::1', 7),
      socket,
    ]);
  });

  it('of a name is that of the route, and of a route that is not there stays', () => {
    expect(boundPlaces([tcp('box.example', 0)], bound)).toEqual([tcp('box.example', 4001)]);
    expect(boundPlaces([tcp('localhost', 0)], undefined)).toEqual([tcp('localhost', 0)]);
  });
});
