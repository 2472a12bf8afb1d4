// Between server and client before a login (src/mail/login-filter.ts): the client's bytes pass as they are, the server's
// pass but for mechanism names and STARTTLS, and in whatever pieces they come, it comes to the same. The first byte is
// protocol and TLS of the client's leg; behind it 0x01 begins what the client says, 0x02 what the server says.

import { demand, demandSame } from './engine/broken.mjs';
import { cutByChance, randomFrom } from './engine/random.mjs';
import { latin1 } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls'];
const legs = ['off', 'starttls', 'implicit'];

function turnsOf(bytes) {
  const turns = [];
  for (let at = 0, side = 's'; at < bytes.length;) {
    const end = bytes.findIndex((byte, index) => index >= at && (byte === 1 || byte === 2));
    const to = end < 0 ? bytes.length : end;
    if (to > at) turns.push([side, bytes.subarray(at, to)]);
    side = bytes[to] === 1 ? 'c' : 's';
    at = to + 1;
  }
  return turns;
}

function pass(filter, turns, cut) {
  let shown = '';
  for (const [side, bytes] of turns) {
    for (const piece of cut(bytes)) {
      const given = new Uint8Array(piece);
      if (side === 's') shown += latin1(filter.downstream(given));
      else demandSame(latin1(filter.upstream(given)), latin1(piece), 'what the client says passes as it is');
    }
  }
  shown += latin1(filter.flush());
  demand(filter.done, 'after its end it holds nothing');
  return shown;
}

const goes = /SCRAM-|STARTTLS/i;
const droppable = /^(?:250[- ]STARTTLS *|STLS *|"STARTTLS"(?: .*)?|SCRAM-\S*)\r\n$/i;

/** A line without what may be taken out of it, without spaces, and with the last line of a reply like the others. */
function core(line, protocol) {
  const tailFrom = (word) => {
    if (protocol === 'sieve') return /"?[\r\n]*$/.exec(word)?.[0] ?? '';
    const end = /^\* CAPABILITY /i.test(line) ? -1 : word.indexOf(']');
    return end < 0 ? (/[\r\n]+$/.exec(word)?.[0] ?? '') : word.slice(end);
  };
  const bare = (word) => {
    const keeps =
      protocol === 'imap' ? /^(.*?)(?:AUTH=)?(?:SCRAM-|STARTTLS)/is : /^(.*?)(?:SCRAM-|STARTTLS)/is;
    return goes.test(word) ? `${keeps.exec(word)?.[1] ?? ''}${tailFrom(word)}` : word;
  };
  return line.replace(/^250-/, '250 ').split(' ').map(bare).join('');
}

const isPartOf = (part, whole) => {
  let at = 0;
  for (const char of whole) if (at < part.length && part[at] === char) at += 1;
  return at === part.length;
};

/** Whether `shown` is `said` with nothing but names taken out, line by line. */
function isReduced(said, shown, protocol) {
  const [all, kept] = [said, shown].map((text) => text.split(/(?<=\n)/));
  let places = new Set([0]);
  for (const line of all) {
    const next = new Set();
    for (const at of places) {
      const out = kept[at];
      if (droppable.test(line)) next.add(at);
      if (out === undefined) continue;
      const same = out === line;
      const reduced = goes.test(line) || line.startsWith('250-');
      const flat = [line, out].map((one) => one.replace(/^250-/, '250 '));
      if (same || (reduced && isPartOf(flat[1], flat[0]) && core(line, protocol) === core(out, protocol)))
        next.add(at + 1);
    }
    places = next;
    if (places.size === 0) return false;
  }
  return places.has(kept.length) || (shown === '' && places.has(0));
}

export const target = {
  name: 'login-filter',
  files: [
    'login-filter',
    'login-imap',
    'login-pop3',
    'login-smtp',
    'login-sieve',
    'mechanisms',
    'command-line',
    'byte-queue',
  ].map((file) => `src/mail/${file}`),
  dictionary: [
    '\r\n',
    '\x01',
    '\x02',
    '\x02* CAPABILITY STARTTLS AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-1 AUTH=PLAIN\r\n',
    '\x02a OK [CAPABILITY AUTH=SCRAM-SHA-1-PLUS] x\r\n',
    '\x01a CAPABILITY\r\n',
    '\x01a LOGIN {3}\r\n',
    '\x01a LOGIN {2+}\r\n',
    '\x01a AUTHENTICATE X\r\n',
    '\x02+ \r\n',
    '\x02250-STARTTLS\r\n',
    '\x02250 STARTTLS\r\n',
    '\x02250-AUTH SCRAM-SHA-1-PLUS PLAIN\r\n',
    '\x02250 AUTH=SCRAM-SHA-1-PLUS PLAIN\r\n',
    '\x01EHLO x\r\n',
    '\x01AUTH X\r\n',
    '\x02334 \r\n',
    '\x01CAPA\r\n',
    '\x01AUTH\r\n',
    '\x02+OK\r\n',
    '\x02STLS\r\n',
    '\x02SASL SCRAM-SHA-1-PLUS PLAIN\r\n',
    '\x02SCRAM-SHA-1-PLUS\r\n',
    '\x02.\r\n',
    '\x02"SASL" "SCRAM-SHA-1-PLUS PLAIN"\r\n',
    '\x02"STARTTLS"\r\n',
    '\x02OK\r\n',
    '\x01AUTHENTICATE {2+}\r\n',
    'xy',
    '{3}',
  ],
  longest: 30_000,
  prepare: async (from) => {
    const { LoginFilter } = await from('src/mail/login-filter');
    const { dialogues } = await from('test/mail/login-transcripts');
    await Promise.all(target.files.map(from));
    const run = (bytes) => {
      const choice = bytes[0] ?? 0;
      const protocol = protocols[choice % protocols.length];
      const filter = () => new LoginFilter({ protocol, clientTls: legs[(choice >> 3) % legs.length] });
      const turns = turnsOf(bytes.subarray(1));
      const said = turns.map(([side, part]) => (side === 's' ? latin1(part) : '')).join('');
      const shown = pass(filter(), turns, (part) => [part]);
      const random = randomFrom(bytes.length);
      demandSame(
        pass(filter(), turns, (part) => cutByChance(part, random)),
        shown,
        'in other pieces it shows the same',
      );
      if (bytes.length < 600)
        demandSame(
          pass(filter(), turns, (part) => Array.from(part, (_, at) => part.subarray(at, at + 1))),
          shown,
          'one by one it shows the same',
        );
      demand(protocol !== 'tls' || shown === said, 'of tls nothing is looked at');
      demand(
        said === shown || isReduced(said, shown, protocol),
        'nothing but names is taken out',
        () => `${JSON.stringify(said)} as ${JSON.stringify(shown)}`,
      );
    };
    const seeds = dialogues.map(({ protocol, clientTls = 'off', events }) => {
      const choice = protocols.indexOf(protocol) + 0;
      const leg = legs.indexOf(clientTls);
      const first = Array.from({ length: 256 }, (_, at) => at).find(
        (at) => at % protocols.length === choice && (at >> 3) % legs.length === leg,
      );
      return `${String.fromCharCode(first)}${events.map(([side, text]) => (side === 's' ? '\x02' : '\x01') + text).join('')}`;
    });
    return { seeds, run };
  },
};
