// The one description of the configuration: it checks what was written, gives the types, and is what the JSON
// Schema for editors is generated from. Keys not listed here are errors; nothing is accepted and ignored.

import * as z from 'zod/mini';
import { canonicalHost } from '../endpoint.ts';
import { filePath, mapping, readable, whole } from './fields.ts';
import { hooksSchema } from './hook-schema.ts';
import { readOctal } from './listen-place.ts';
import { parsePageListen } from './page-listen.ts';
import { parseOwnResolver, parseTlsResolver } from './resolver-place.ts';
import { common, pins, routeSchema } from './route-schema.ts';
import { quoted, UnusableValue } from './unusable.ts';
import { parseListen } from './upstream.ts';

/** Every one who may write to the socket can approve keys. */
function readAdminMode(text: string): void {
  readOctal(text);
  if (!text.endsWith('0'))
    throw new UnusableValue(`"${text}" lets every local user approve keys`, 'use "0660" and group:');
}

/** A name that the local CA and its certificate are made for; a wildcard would vouch for names nobody thought of. */
function readLocalName(text: string): void {
  if (text.includes('*'))
    throw new UnusableValue(`${quoted(text)} is a wildcard`, 'name each host that clients connect to');
  canonicalHost(text);
}

const socket = z.required(
  mapping({
    path: filePath,
    mode: readable(readAdminMode).check(z.meta({ description: 'File mode in octal, in quotes.' })),
    group: z
      .string()
      .check(z.minLength(1))
      .check(z.meta({ description: 'Group that owns the socket.' })),
  }),
  { path: true },
);

const resolver = z
  .required(
    mapping({
      address: readable(parseTlsResolver).check(
        z.meta({
          description: 'ADDRESS[:PORT] of a resolver asked over TLS; default port 853.',
        }),
      ),
      serverName: readable(canonicalHost).check(
        z.meta({
          description: 'The name its certificate must be CA-verified for.',
        }),
      ),
      pins: pins.check(z.meta({ description: 'Keys of which it must have one, sha256//BASE64=.' })),
      caFile: common.caFile,
    }),
    { address: true },
  )
  .check(
    z.superRefine(({ serverName, pins: keys = [] }, context) => {
      if (serverName !== undefined || keys.length > 0) return;
      const suggestion = 'add serverName: with the name of its certificate, or pins:';
      const message = 'nothing says how to know it';
      context.addIssue({ code: 'custom', message, params: { suggestion } });
    }),
  );

export const configSchema = mapping({
  state: filePath.check(z.meta({ description: 'Directory of the pin store.' })),
  trust: common.trust,
  firstUse: common.firstUse,
  dane: common.dane,
  resolver: z
    .nullable(
      z.union([resolver, readable(parseOwnResolver)], {
        error: 'must be ADDRESS[:PORT] of this machine or {address, serverName, pins, caFile}',
      }),
    )
    .check(
      z.meta({
        description:
          'Who is asked for TLSA records and checks DNSSEC: ADDRESS[:PORT] of this machine, or one over TLS; null: nobody.',
      }),
    ),
  caFile: common.caFile,
  crlFile: common.crlFile,
  routes: z
    .array(routeSchema)
    .check(z.maxLength(5000))
    .check(z.meta({ description: 'Where a mail client connects, and the mail server behind it.' })),
  metrics: z
    .nullable(
      mapping({
        listen: readable(parseListen).check(
          z.meta({ description: 'HOST:PORT of /metrics, /healthz and /readyz.' }),
        ),
        level: z.enum(['full', 'minimal']).check(
          z.meta({
            description:
              'minimal leaves out histograms and most series that stand at 0, for many proxies under one Prometheus.',
          }),
        ),
        maxLabelValues: whole(
          1,
          10_000,
          'How many routes, and how many servers, have series of their own; the rest are counted together as other.',
        ),
      }),
    )
    .check(z.meta({ description: 'null turns metrics off.' })),
  admin: mapping({
    socket: z
      .union([z.literal('default'), socket], { error: 'must be default or {path, mode, group}' })
      .check(z.meta({ description: 'Where letterlock commands reach the daemon.' })),
    listen: z.nullable(readable(parsePageListen)).check(
      z.meta({
        description: 'HOST:PORT of loopback where the daemon serves the page; null: nowhere.',
      }),
    ),
  }),
  localCa: mapping({
    names: z
      .array(readable(readLocalName))
      .check(z.maxLength(64))
      .check(
        z.meta({
          description:
            'Host names and addresses, besides the usual local ones, that the local CA and its certificate cover; a new one makes a new CA.',
        }),
      ),
  }),
  hooks: hooksSchema.check(z.meta({ description: 'Programs and receivers that are told of what happens.' })),
  watch: common.watch,
  limits: common.limits,
  log: mapping({
    level: z
      .enum(['error', 'warn', 'info', 'debug'])
      .check(z.meta({ description: 'The least important entries to write.' })),
    format: z
      .enum(['json', 'pretty', 'auto'])
      .check(z.meta({ description: 'auto is pretty on a terminal and JSON elsewhere.' })),
  }),
  shutdownSeconds: whole(0, 3600, 'How long open sessions may go on after SIGTERM.'),
});

export type RawConfig = z.infer<typeof configSchema>;

/** What holds where nothing was written. `state` and the socket depend on the user and stand in paths.ts. */
export const defaults = {
  trust: 'auto',
  firstUse: 'accept',
  dane: 'off',
  caFile: ['system'],
  metrics: { listen: '127.0.0.1:9465', level: 'full', maxLabelValues: 1000 },
  localCa: { names: [] },
  hooks: [],
  watch: 'off',
  limits: {
    connections: 1000,
    dialSeconds: 15,
    handshakeSeconds: 15,
    greetingSeconds: 30,
    idleMinutes: 35,
    preTlsBytes: 65_536,
    lineBytes: 8192,
  },
  log: { level: 'info', format: 'auto' },
  shutdownSeconds: 10,
} as const satisfies RawConfig;
