// Lines between processes that share a store (src/sharing/framing.ts, words.ts), and answers made in pieces
// (src/admin/json-pieces.ts, src/ops/metric-text.ts): a line in any pieces is the same, one that is too long ends the talk, one
// that was changed says nothing, and what is written in pieces is what is written whole.

import { Readable } from 'node:stream';
import { demand, demandSame } from './engine/broken.mjs';
import { cutByChance, randomFrom } from './engine/random.mjs';

const maxBytes = 400;

/** The labels of one line of the text format of Prometheus, read by its grammar. */
function labelsIn(line) {
  const labels = {};
  let at = line.indexOf('{') + 1;
  while (at > 0 && line[at] !== '}') {
    const equals = line.indexOf('="', at);
    const name = line.slice(at, equals);
    let value = '';
    at = equals + 2;
    while (line[at] !== '"') {
      if (at >= line.length) return null;
      const escaped = line[at] === '\\';
      const char = escaped ? line[at + 1] : line[at];
      value += escaped && char === 'n' ? '\n' : char;
      at += escaped ? 2 : 1;
    }
    labels[name] = value;
    at += line[at + 1] === ',' ? 2 : 1;
  }
  return labels;
}

const values = (fc) =>
  fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.array(fc.jsonValue({ maxDepth: 2 })),
    fc.record({ rows: fc.array(fc.jsonValue({ maxDepth: 1 })), more: fc.array(fc.string()) }),
  );

export const target = {
  name: 'sharing',
  files: [
    'src/sharing/framing',
    'src/sharing/words',
    'src/store/codec',
    'src/admin/json-pieces',
    'src/ops/metric-text',
  ],
  dictionary: [
    '\n',
    '"ask":"load"',
    '"tell":"beat"',
    '"id":2',
    '"rows":[]',
    ' ',
    '{',
    '}',
    '__proto__',
    '\\"',
    '\\\\',
    '\\n',
  ],
  longest: 3000,
  structured: 0.4,
  prepare: async (from) => {
    const { linesFrom } = await from('src/sharing/framing');
    const { askOf, tellOf } = await from('src/sharing/words');
    const { lineOf } = await from('src/sharing/line-of');
    const { jsonPieces } = await from('src/admin/json-pieces');
    const { pageText } = await from('src/ops/metric-text');
    const health = { state: 'good', detail: null, generation: 3, records: 2 };
    const asks = [
      { ask: 'load', id: 1 },
      { ask: 'history', id: 2, endpoint: null },
      { ask: 'give-way', id: 3 },
      {
        ask: 'touch',
        id: 4,
        touches: [{ endpoint: 'a.example:993', spki: 'sha256//x', lastSeen: 1, seenCount: 2 }],
      },
    ].map((ask) => lineOf('guest', ask).trimEnd());
    const tells = [
      { tell: 'beat', health, held: [] },
      { tell: 'bye' },
      { tell: 'failed', id: 1, code: 'x', message: 'y', hint: null },
      {
        tell: 'rows',
        id: 1,
        rows: [
          {
            endpoint: 'a.example:993',
            revision: 1,
            record: null,
            verified: true,
            sealed: { rejected: [], until: [] },
          },
        ],
      },
    ].map((tell) => lineOf('holder', tell).trimEnd());
    const linesIn = async (pieces) => {
      const lines = [];
      try {
        for await (const line of linesFrom(Readable.from(pieces.slice(1)), {
          head: pieces[0] ?? Buffer.alloc(0),
          maxBytes,
        }))
          lines.push(line);
        return { lines, ended: 'well' };
      } catch (error) {
        if (error?.name !== 'RangeError') throw error;
        return { lines, ended: 'too long' };
      }
    };
    const checkLines = async (bytes) => {
      const whole = await linesIn([bytes]);
      const cut = cutByChance(bytes, randomFrom(bytes.length)).filter((piece) => piece.length > 0);
      demandSame(await linesIn(cut), whole, 'lines in other pieces are the same');
      const expected = bytes.toString('latin1').split('\n');
      const long = expected.findIndex((line) => line.length > maxBytes);
      demand(
        long < 0 === (whole.ended === 'well'),
        'a line that is too long ends the talk, and no other',
        long,
      );
      const count = long < 0 ? expected.length - 1 : long;
      demandSame(whole.lines.length, count, 'every whole line is given');
    };
    const checkWords = (text) => {
      demand(askOf(text) === null || asks.includes(text), 'a question that was changed is none', text);
      demand(tellOf(text) === null || tells.includes(text), 'an answer that was changed is none', text);
      for (const line of [...asks, ...tells])
        demand(
          text !== line || askOf(text) !== null || tellOf(text) !== null,
          'what was written is read',
          text,
        );
    };
    const checkPieces = async (value) => {
      let joined = '';
      for await (const piece of jsonPieces(value)) joined += piece;
      demandSame(joined, JSON.stringify(value), 'what is written in pieces is what is written whole');
    };
    const checkMetric = async (text) => {
      const labels = { route: text, endpoint: `${text}"\\` };
      const metric = { get: async () => ({ help: text, type: 'counter', values: [{ labels, value: 1 }] }) };
      const page = await pageText({
        getMetricsAsArray: () => [{ name: 'letterlock_x' }],
        getSingleMetric: () => metric,
      });
      const lines = page.split('\n');
      demand(
        lines.length === 4 && lines[0].startsWith('# HELP letterlock_x ') && lines[3] === '',
        'a metric is its three lines',
        page,
      );
      demandSame(labelsIn(lines[2]), labels, 'labels read back as they were');
    };
    const run = async (bytes) => {
      await checkLines(bytes);
      const text = bytes.toString('utf8');
      // A line holds no line end.
      checkWords(text.split('\n', 1)[0]);
      // A carriage return is no line end of that format.
      await checkMetric(text.slice(0, 300));
      try {
        await checkPieces(JSON.parse(text));
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
      }
    };
    return {
      seeds: [
        ...asks,
        ...tells,
        'a\nbb\n\nc',
        `${'x'.repeat(maxBytes)}\n`,
        `${'x'.repeat(maxBytes + 1)}\n`,
        `a\n${'x'.repeat(900)}`,
        '{"a":[1,2],"b":null,"__proto__":{"x":1}}',
        'a"b\\c\nd',
      ],
      run,
      values,
    };
  },
};
