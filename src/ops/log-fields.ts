// Every field a line of the log can have: one meaning, one type and one unit for each word, wherever it stands.
// docs/logs.md is made from this, and the types of the log: a field that is not here cannot be logged.

/** `text` is escaped and cut; `list` is of such texts; `time` is ISO 8601 in UTC. */
export type FieldType = 'text' | 'number' | 'count' | 'yes or no' | 'list' | 'time';

export interface FieldRow {
  readonly type: FieldType;
  readonly unit?: 'seconds' | 'bytes';
  /** `null` stands where there is none. */
  readonly nullable?: true;
  readonly tells: string;
}

const rows = {
  address: { type: 'text', tells: 'The place listened on: `127.0.0.1:1143`, `unix:/run/imap.sock`.' },
  addresses: { type: 'list', tells: 'Routes with the places they listen on.' },
  admin: { type: 'text', tells: 'The admin socket.' },
  agreed: { type: 'list', tells: 'Vantage points that saw the same key.' },
  attempts: { type: 'count', tells: 'How often it was tried.' },
  at: { type: 'list', tells: 'Places in the program, innermost first; no text of the error itself.' },
  backend: { type: 'text', tells: 'Which kind of pin store it is.' },
  basis: {
    type: 'text',
    nullable: true,
    tells: 'Why the server was accepted: `ca`, `pin`, `dane` or `first-use`.',
  },
  bytes: { type: 'count', unit: 'bytes', tells: 'Of the lines that were lost.' },
  bytesDown: { type: 'count', unit: 'bytes', tells: 'Relayed from the server to the client.' },
  bytesUp: { type: 'count', unit: 'bytes', tells: 'Relayed from the client to the server.' },
  cause: { type: 'text', tells: 'What the system said.' },
  change: { type: 'text', tells: 'What happened to a pin, as in `letterlock pins history`.' },
  clientTls: { type: 'text', nullable: true, tells: 'TLS version of the client’s side; null in clear.' },
  code: { type: 'text', tells: 'Which warning it is.' },
  dane: { type: 'text', tells: 'What TLSA records say of the key; absent where nobody asked.' },
  dashboard: { type: 'text', nullable: true, tells: 'Where the page is served; null when it is not.' },
  detail: { type: 'text', nullable: true, tells: 'What the world said, for people; no format to rely on.' },
  differing: { type: 'list', tells: 'Vantage points that saw another key.' },
  endpoint: { type: 'text', tells: 'The server, `NAME:PORT`.' },
  error: { type: 'text', tells: 'The kind of an error nobody foresaw.' },
  faults: { type: 'list', tells: 'Everything wrong with the certificate: codes of docs/codes.md.' },
  firstSession: { type: 'text', tells: 'The first connection summed up; absent where there were none.' },
  generation: { type: 'count', tells: 'How often the pin store was written.' },
  hook: { type: 'text', tells: 'The hook, by its name.' },
  lastSession: { type: 'text', tells: 'The last connection summed up.' },
  lines: { type: 'count', tells: 'Lines that were lost.' },
  metrics: { type: 'text', nullable: true, tells: 'Where metrics are served; null when they are off.' },
  notAfter: { type: 'time', nullable: true, tells: 'When the certificate ends; null where none was shown.' },
  of: { type: 'text', tells: 'The event that was summed up.' },
  ok: { type: 'yes or no', tells: 'Whether it worked.' },
  origin: { type: 'text', tells: 'Who changed it: `cli`, `admin`, `proxy`, `config`.' },
  outcome: {
    type: 'text',
    tells: '`relayed`, `refused`, `failed` or `rejected` (the client was turned away).',
  },
  pid: { type: 'count', tells: 'Number of the process.' },
  problems: { type: 'count', tells: 'Problems of the configuration.' },
  protocol: { type: 'text', tells: '`imap`, `pop3`, `smtp`, `lmtp`, `sieve` or `tls`.' },
  reason: {
    type: 'text',
    nullable: true,
    tells: 'Why not: a code of docs/codes.md; null where it went well.',
  },
  records: { type: 'count', tells: 'Records in the pin store.' },
  reference: {
    type: 'text',
    nullable: true,
    tells: 'Finds the refused key: `letterlock explain 7F3AK2QM`. It proves nothing.',
  },
  result: { type: 'text', tells: 'What came of it.' },
  route: { type: 'text', tells: 'The route, by its name.' },
  said: {
    type: 'text',
    nullable: true,
    tells: 'The sentence the client was told; null when it was told none.',
  },
  scope: { type: 'text', tells: 'What the page may: `read` or `admin`.' },
  seconds: { type: 'number', unit: 'seconds', tells: 'How long it took.' },
  session: {
    type: 'text',
    tells:
      'The connection, `K7Q-123`: three characters drawn at each start, then a number. Absent outside one.',
  },
  sha256: { type: 'text', tells: 'SHA-256 of the certificate, `AB:CD:…`.' },
  spki: { type: 'text', nullable: true, tells: 'The server’s key, `sha256//…`.' },
  state: { type: 'text', tells: 'How the pin store is: `good`, `damaged` or `unavailable`.' },
  times: { type: 'count', tells: 'How often more than the lines say.' },
  unreached: { type: 'list', tells: 'Vantage points that could not be asked.' },
  until: {
    type: 'time',
    tells: 'When the key stops being trusted, or the page its session; `never` where no date can say it.',
  },
  upstream: { type: 'text', tells: 'The server’s URL in the configuration.' },
  verdict: { type: 'text', nullable: true, tells: 'The basis of the acceptance, or `refused`.' },
  version: { type: 'text', tells: 'Of letterlock, or of TLS.' },
} as const satisfies Readonly<Record<string, FieldRow>>;

export type FieldName = keyof typeof rows;

export const logFields: Readonly<Record<FieldName, FieldRow>> = rows;
