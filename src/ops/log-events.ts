// Every event of the log: at which levels it comes, which fields it has, and which of them make two of them the
// same, so that repeats are summed up (repeats.ts). Names, levels and fields are public: docs/logs.md is made from
// this. Changes of trust have no `sameBy`: none of them is ever left out.

import type { FieldName } from './log-fields.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

export interface EventRow {
  readonly levels: readonly LogLevel[];
  readonly tells: string;
  /** In the order of the line. */
  readonly fields: readonly FieldName[];
  /** Repeats with the same values here are summed up; absent: each one is written. */
  readonly sameBy?: readonly (FieldName | 'message')[];
}

const rows = {
  'session-started': {
    levels: ['debug'],
    tells: 'A client connected.',
    fields: ['session', 'route', 'protocol', 'endpoint'],
    sameBy: ['route'],
  },
  dialled: {
    levels: ['debug'],
    tells: 'A TCP connection to a server was tried.',
    fields: ['session', 'endpoint', 'result', 'seconds'],
    sameBy: ['endpoint', 'result'],
  },
  'tlsa-looked-up': {
    levels: ['debug'],
    tells: 'TLSA records were asked for.',
    fields: ['session', 'endpoint', 'result', 'seconds'],
    sameBy: ['endpoint', 'result'],
  },
  handshaken: {
    levels: ['debug'],
    tells: 'TLS with a server was made; nothing is decided yet.',
    fields: ['session', 'endpoint', 'version', 'seconds'],
    sameBy: ['endpoint', 'version'],
  },
  judged: {
    levels: ['debug'],
    tells: 'The verdict on a server’s key.',
    fields: ['session', 'endpoint', 'verdict', 'reason', 'spki', 'faults', 'dane'],
    sameBy: ['endpoint', 'verdict', 'reason', 'spki'],
  },
  corroborated: {
    levels: ['info', 'warn'],
    tells: 'A first use was looked at from elsewhere; a warning when another key was seen, or nothing.',
    fields: ['session', 'endpoint', 'spki', 'agreed', 'differing', 'unreached', 'seconds'],
  },
  greeted: {
    levels: ['debug'],
    tells: 'The client has its greeting.',
    fields: ['session', 'route', 'seconds'],
    sameBy: ['route'],
  },
  carried: {
    levels: ['debug'],
    tells: 'Bytes relayed since the last such line of the session.',
    fields: ['session', 'route', 'bytesUp', 'bytesDown'],
    sameBy: ['route'],
  },
  'session-ended': {
    levels: ['error', 'warn', 'info'],
    tells: 'The one line of each connection: what came of it.',
    fields: [
      'session',
      'route',
      'protocol',
      'endpoint',
      'clientTls',
      'outcome',
      'reason',
      'basis',
      'spki',
      'reference',
      'said',
      'detail',
      'bytesUp',
      'bytesDown',
      'seconds',
    ],
    sameBy: ['route', 'endpoint', 'outcome', 'reason', 'basis'],
  },
  'session-revoked': {
    levels: ['warn'],
    tells: 'An open session was reset: its key is trusted no more.',
    fields: ['session', 'endpoint', 'spki'],
  },
  probed: {
    levels: ['info', 'warn'],
    tells:
      'A server was asked without a client; a warning when one would be refused, or nothing could be judged.',
    fields: [
      'endpoint',
      'result',
      'verdict',
      'reason',
      'spki',
      'reference',
      'faults',
      'notAfter',
      'detail',
      'seconds',
    ],
    sameBy: ['endpoint', 'result', 'reason', 'spki'],
  },
  'pin-changed': {
    levels: ['warn', 'info'],
    tells: 'A change of trust, after it is durable; a first use is a warning.',
    fields: ['session', 'endpoint', 'change', 'origin', 'spki', 'detail'],
  },
  'certificate-renewed': {
    levels: ['info'],
    tells: 'A server has a new certificate on the key that is known.',
    fields: ['endpoint', 'spki', 'sha256'],
  },
  'retiring-key-in-use': {
    levels: ['warn'],
    tells: 'A server still uses a key that stops being trusted; hourly.',
    fields: ['endpoint', 'spki', 'until'],
  },
  'key-untrusted': {
    levels: ['warn'],
    tells: 'A key in use is trusted no more.',
    fields: ['endpoint', 'spki'],
  },
  'store-operation': {
    levels: ['debug', 'error'],
    tells: 'The pin store was written, or could not be.',
    fields: ['ok', 'seconds'],
    sameBy: ['ok'],
  },
  'store-health': {
    levels: ['info', 'error'],
    tells: 'The state of the pin store changed.',
    fields: ['state', 'detail', 'backend', 'generation', 'records'],
  },
  listening: {
    levels: ['info'],
    tells: 'A route listens.',
    fields: ['route', 'address', 'upstream'],
  },
  'listen-skipped': {
    levels: ['info'],
    tells: 'A route does not listen on one of its addresses, which this machine does not have.',
    fields: ['route', 'address', 'cause'],
  },
  reloaded: {
    levels: ['info', 'error'],
    tells: 'The configuration was read again; with problems the old one stays in force.',
    fields: ['ok', 'problems'],
  },
  'reload-problem': {
    levels: ['error'],
    tells: 'One problem of the new configuration, after SIGHUP.',
    fields: [],
  },
  'dashboard-opened': {
    levels: ['info'],
    tells: 'A browser exchanged its one-time address for a session of the page.',
    fields: ['scope', 'until'],
  },
  'crl-reloaded': { levels: ['info'], tells: 'Revocation lists were read again.', fields: [] },
  'hook-delivered': {
    levels: ['debug', 'warn'],
    tells: 'What became of telling a hook; a warning when it failed.',
    fields: ['hook', 'result', 'attempts', 'detail'],
    sameBy: ['hook', 'result'],
  },
  'hook-output': {
    levels: ['debug'],
    tells: 'What a program of a hook wrote, cut and escaped.',
    fields: ['hook'],
    sameBy: ['hook', 'message'],
  },
  warning: {
    levels: ['warn'],
    tells: 'Something a person should look at; `code` says what.',
    fields: ['code'],
    sameBy: ['code', 'message'],
  },
  ready: {
    levels: ['info'],
    tells: 'Everything listens.',
    fields: ['version', 'pid', 'addresses', 'admin', 'metrics', 'dashboard'],
  },
  stopping: { levels: ['info'], tells: 'A signal ends the proxy; open sessions may end.', fields: [] },
  'sweep-failed': {
    levels: ['error'],
    tells: 'The pin store could not be tidied; it is tried again in a minute.',
    fields: [],
  },
  'listener-failed': {
    levels: ['error'],
    tells: 'A mistake of letterlock in its log, metrics or feed.',
    fields: [],
    sameBy: ['message'],
  },
  crashed: {
    levels: ['error'],
    tells: 'A mistake of letterlock, which ends; please report the line.',
    fields: ['error', 'at'],
  },
  repeated: {
    levels: ['error', 'warn', 'info', 'debug'],
    tells: 'How many more of the same there were in the last minute, of which only the first were written.',
    fields: [
      'of',
      'route',
      'endpoint',
      'outcome',
      'reason',
      'result',
      'times',
      'seconds',
      'firstSession',
      'lastSession',
    ],
  },
  'log-lost': {
    levels: ['warn'],
    tells: 'Lines that are missing above: whoever reads the log did not keep up.',
    fields: ['lines', 'bytes'],
  },
} as const satisfies Readonly<Record<string, EventRow>>;

export type LogEventName = keyof typeof rows;
/** The fields an event may have, each of them or not. */
export type FieldsOf<E extends LogEventName> = (typeof rows)[E]['fields'][number];

export const logEvents: Readonly<Record<LogEventName, EventRow>> = rows;
