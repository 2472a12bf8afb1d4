// What the proxy tells of events whose texts came off the wire: the log (JSON and for people), hooks and webhooks (payload,
// environment, signature), and the stream the page reads. One line is one line, JSON is JSON, nothing acts, all is
// bounded, and a stream in any pieces gives the same messages. JSON of an event, as fast-check or a mutant makes it.

import { EventEmitter } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demand, demandPlain, demandSame } from './engine/broken.mjs';
import { cutByChance, randomFrom } from './engine/random.mjs';

const spki = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
const endpoint = 'imap.example.org:993';
const hostile = 'a\r\nevent: x\ndata: {}\n\n\u001b]0;x\u0007\u202e\u2066"\\\u2028\u0085ENDPOINT';
const session = { session: 'T3S-1', endpoint, route: 'imaps-1143', protocol: 'imap' };

/** One event of each kind that carries a text; `text` goes into each of its texts. */
const eventsWith = (text) => [
  { type: 'warning', code: 'crl-stale', message: text },
  {
    type: 'session-ended',
    ...session,
    clientTls: null,
    basis: null,
    spki,
    reference: '7F3AK2QM',
    said: text,
    detail: text,
    bytesUp: 1,
    bytesDown: 2,
    seconds: 0.1,
    outcome: 'refused',
    reason: 'pin-mismatch',
  },
  {
    type: 'session-ended',
    ...session,
    clientTls: text,
    basis: null,
    spki: null,
    reference: null,
    said: null,
    detail: text,
    bytesUp: 0,
    bytesDown: 0,
    seconds: 0.1,
    outcome: 'failed',
    reason: 'dial',
  },
  { type: 'pin-changed', endpoint, event: 'candidate', origin: 'proxy', spki, detail: text },
  { type: 'pin-changed', endpoint, event: 'first-use', origin: 'proxy', spki, detail: text },
  {
    type: 'store-health',
    health: { state: 'damaged', detail: text, generation: 3, records: 2, backend: 'level' },
  },
  {
    type: 'corroborated',
    ...session,
    spki,
    agreed: [text],
    differing: [text, 'b'],
    unreached: [],
    seconds: 1,
  },
  { type: 'hook-delivered', hook: text, result: 'failed', attempts: 2, detail: text },
  {
    type: 'probed',
    endpoint,
    spki,
    faults: ['expired'],
    reference: null,
    detail: text,
    notBefore: 1,
    notAfter: 2,
    pathNotAfter: null,
    seconds: 1,
    result: 'refused',
    verdict: 'refused',
    reason: 'ca-lost',
  },
  { type: 'listen-skipped', route: text, address: text, cause: text },
  { type: 'certificate-renewed', endpoint, spki, sha256: text },
];

const messagesOf = (messageReader, pieces) => {
  const read = messageReader();
  return pieces.flatMap((piece) => read(piece));
};

export const target = {
  name: 'events',
  files: [
    'entry-of',
    'log-entry',
    'session-entry',
    'trust-entry',
    'probe-entry',
    'pretty-line',
    'printable',
    'log',
    'repeats',
    'hooks/notice',
    'hooks/payload',
    'hooks/signature',
  ]
    .map((file) => `src/ops/${file}`)
    .concat('src/admin/dashboard/data/sse', 'src/admin/event-stream'),
  dictionary: [
    '\\r\\n',
    '\\u001b[31m',
    '\\u202e',
    '\\u2069',
    '\\u2028',
    '\\u0000',
    'data: ',
    '\\n\\n',
    'id: ',
    'event: ',
    '"type":"warning"',
    '"message":',
    '"detail":',
    'ENDPOINT',
    '__proto__',
    '\\ud800',
  ],
  longest: 8000,
  structured: 0.7,
  prepare: async (from, folder) => {
    const { openLog } = await from('src/ops/log');
    const { logEntry } = await from('src/ops/log-entry');
    const { noticeOf } = await from('src/ops/hooks/notice');
    const { eventEnvironment, payloadOf } = await from('src/ops/hooks/payload');
    const { payloadSchema } = await from('src/ops/hooks/payload-schema');
    const { secretKey, signatureHeaders } = await from('src/ops/hooks/signature');
    const { streamEvents } = await from('src/admin/event-stream');
    const { messageReader } = await from('src/admin/dashboard/data/sse');
    await Promise.all(target.files.map(from));
    const kinds = new Map(
      eventsWith('x').map((event) => [JSON.stringify([event.type, event.outcome ?? event.event]), event]),
    );
    const path = join(folder, 'log');
    const linesOf = (event, format) => {
      writeFileSync(path, '');
      const fd = openSync(path, 'a');
      const log = openLog({ level: 'debug', format, fd, terminal: false, env: {}, now: () => 0 });
      log.event(event);
      log.close();
      closeSync(fd);
      return readFileSync(path, 'utf8');
    };
    const checkLog = (event) => {
      for (const format of ['json', 'pretty']) {
        const line = linesOf(event, format);
        demand(
          line.endsWith('\n') && line.indexOf('\n') === line.length - 1,
          'an event is one line of the log',
          line,
        );
        demandPlain(line.slice(0, -1), 'a line of the log');
        demand(line.length < 30_000, 'a line of the log is bounded', line.length);
        if (format === 'json')
          demand(JSON.parse(line).event === event.type, 'a line of the log is JSON of its event', line);
      }
    };
    const checkHook = (event) => {
      const notice = noticeOf(event, { now: () => 0, referenceOf: () => '7F3AK2QM' });
      if (notice === null) return;
      const payload = payloadOf(
        { id: 'msg_1', at: 0, notice, suppressed: 0 },
        { hook: 'x', teller: { machine: 'box', version: '1' } },
      );
      demand(payloadSchema.safeParse(payload).success, 'a payload has its form', JSON.stringify(payload));
      const body = JSON.stringify(payload);
      demandPlain(body, 'a payload');
      demand(body.length < 60_000, 'a payload is bounded', body.length);
      for (const [name, value] of Object.entries(eventEnvironment(payload))) {
        demand(/^LETTERLOCK_EVENT_[A-Z_]+$/.test(name), 'a variable has a plain name', name);
        demandPlain(value, 'a variable');
      }
      const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
      for (const value of Object.values(signatureHeaders({ id: 'msg_1', seconds: 1, body }, secret)))
        demandPlain(value, 'a header');
    };
    const checkStream = async (event) => {
      const entry = { id: 7, at: '2026-01-01T00:00:00.000Z', ...logEntry(event) };
      const text = await streamed(streamEvents, [entry, entry]);
      const whole = messagesOf(messageReader, [text]);
      demandSame(
        whole.map(({ event: name }) => name),
        ['hello', entry.event, entry.event],
        'a stream has its messages and no others',
      );
      demandSame(
        whole.slice(1).map(({ data }) => JSON.parse(data)),
        [JSON.parse(JSON.stringify(entry)), JSON.parse(JSON.stringify(entry))],
        'a message is the entry',
      );
      demandSame(
        messagesOf(messageReader, cutText(text)),
        whole,
        'in other pieces a stream gives the same messages',
      );
      demandSame(
        messagesOf(messageReader, cutText(text.replaceAll('\n', '\r\n'))),
        whole,
        'with other line ends a stream gives the same messages',
      );
    };
    const run = async (bytes) => {
      const event = eventOf(bytes, kinds);
      if (event === null) {
        const text = bytes.toString('utf8');
        const key = secretKey(text);
        if (typeof key === 'string')
          demand(
            text.length < 12 || !key.includes(text.slice(6)),
            'what is wrong with a secret holds none of it',
            key,
          );
        return;
      }
      checkLog(event);
      checkHook(event);
      await checkStream(event);
    };
    const values = (fc) => {
      const odd = fc.constantFrom(
        '\r\n',
        '\u001b[31m',
        '\u0007',
        '\u009b',
        '\u202e',
        '\u2066',
        '\u2067',
        '\u2069',
        '\u2028',
        '\ufeff',
        '\u00ad',
        '\ud800',
        '\0',
        '"',
        '\\',
        'data: x',
        '\n\n',
        ' ',
        'a',
        'é',
        '😀',
        'x'.repeat(700),
      );
      return fc
        .tuple(
          fc.array(odd, { maxLength: 12 }).map((parts) => parts.join('')),
          fc.nat(20),
        )
        .map(([text, at]) => {
          const events = eventsWith(text);
          return events[at % events.length];
        });
    };
    return {
      seeds: [...eventsWith('plain'), ...eventsWith(hostile)].map((event) => JSON.stringify(event)),
      run,
      values,
    };
  },
};

/** An event in which texts are texts and all else is as it is in one of its kind. */
function eventOf(bytes, kinds) {
  try {
    const given = JSON.parse(bytes.toString('utf8'));
    const known = kinds.get(JSON.stringify([given.type, given.outcome ?? given.event]));
    if (known === undefined) return null;
    const fitted = Object.entries(known).map(([name, value]) => {
      const other = Object.hasOwn(given, name) ? given[name] : value;
      const free = [
        'message',
        'detail',
        'said',
        'hook',
        'route',
        'address',
        'cause',
        'sha256',
        'clientTls',
      ].includes(name);
      if (free) return [name, typeof other === 'string' ? other : value];
      if (name === 'differing' || name === 'agreed')
        return [name, Array.isArray(other) && other.every((one) => typeof one === 'string') ? other : value];
      if (name === 'health')
        return [name, { ...value, detail: typeof other?.detail === 'string' ? other.detail : 'x' }];
      return [name, value];
    });
    return Object.fromEntries(fitted);
  } catch {
    return null;
  }
}

const cutText = (text) => cutByChance(text, randomFrom(text.length));

/** All that is written to a reader of events. */
async function streamed(streamEvents, entries) {
  let written = '';
  const response = Object.assign(new EventEmitter(), {
    req: { socket: Object.assign(new EventEmitter(), { destroyed: false }) },
    closed: false,
    headersSent: false,
    writableNeedDrain: false,
    writeHead() {
      this.headersSent = true;
      return this;
    },
    write(text) {
      written += text;
      return true;
    },
    end() {},
    destroy() {},
  });
  const operator = {
    async *follow({ hello }) {
      hello({ id: 1, dropped: false });
      yield* entries;
    },
  };
  await streamEvents(operator, response, { after: null, began: () => undefined });
  response.emit('close');
  return written;
}
