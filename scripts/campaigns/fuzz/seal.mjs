// The seal and the log that follows it (src/store/seal.ts, seal-log.ts), damaged in any way: what is read is the seal as it
// stood after some of its turns, with every rejection of that moment, and only the last turn may be missing; else it is damage.
// The first byte 0: a seal is damaged; else its log.

import { demand, demandSame } from './engine/broken.mjs';

const spki = (octet) => `sha256//${Buffer.alloc(32, octet).toString('base64')}`;
const digest = (octet) => octet.toString(16).padStart(2, '0').repeat(32);
const sealed = (revision, rejected = [], until = []) => ({
  revision,
  rejected: new Set(rejected),
  until: new Map(until),
});

const plain = (seal) => ({
  ...seal,
  endpoints: [...seal.endpoints].map(([name, { revision, rejected, until }]) => [
    name,
    revision,
    [...rejected],
    [...until],
  ]),
});

export const target = {
  name: 'seal',
  files: ['src/store/seal', 'src/store/seal-log', 'src/store/codec'],
  dictionary: [
    '\n',
    '"generation":3',
    '"generation":4',
    '"generation":5',
    '"count":',
    '"held":[]',
    '"endpoints":[',
    '[]',
    ']],["',
    ' ',
    '"format":2',
    spki(2),
  ],
  longest: 6000,
  prepare: async (from) => {
    const { decodeSeal, encodeSeal } = await from('src/store/seal');
    const { encodeStep, followLog } = await from('src/store/seal-log');
    const start = {
      store: 'ab'.repeat(16),
      generation: 3,
      count: 2,
      digest: digest(1),
      held: ['h.example:1'],
    };
    const endpoints = new Map([
      ['a.example:993', sealed(1, [spki(1)], [[spki(2), 77]])],
      ['b.example:993', sealed(2)],
      ['[2001:db8::1]:993', sealed(1, [], [[spki(3), 5]])],
    ]);
    const text = encodeSeal({ ...start, endpoints });
    const checksum = text.slice(0, 64);
    const steps = [
      {
        generation: 4,
        count: 3,
        digest: digest(2),
        held: null,
        endpoints: [['c.example:993', sealed(1, [spki(4), spki(5)])]],
      },
      {
        generation: 5,
        count: 3,
        digest: digest(3),
        held: [],
        endpoints: [['a.example:993', sealed(2, [spki(1), spki(6)], [[spki(2), 70]])]],
      },
      {
        generation: 6,
        count: 4,
        digest: digest(4),
        held: null,
        endpoints: [
          ['d.example:993', sealed(1)],
          ['b.example:993', sealed(3, [spki(7)])],
        ],
      },
    ];
    const lines = [];
    const truths = [plain({ ...start, endpoints })];
    const now = { ...start, endpoints: new Map(endpoints) };
    for (const step of steps) {
      const before = lines.length === 0 ? checksum : lines.at(-1).slice(0, 64);
      lines.push(encodeStep(before, step).text);
      for (const [name, one] of step.endpoints) now.endpoints.set(name, one);
      Object.assign(now, {
        generation: step.generation,
        count: step.count,
        digest: step.digest,
        held: step.held ?? now.held,
      });
      truths.push(plain(now));
    }
    const log = lines.join('');
    const decoded = async (given) => {
      try {
        return await decodeSeal(given);
      } catch (error) {
        if (error?.name !== 'StoreError') throw error;
        return null;
      }
    };
    const checkSeal = async (given) => {
      const seal = await decoded(given);
      demand((seal === null) === (given !== text), 'a damaged seal is refused', given.slice(0, 200));
      if (seal !== null) demandSame(plain(seal), truths[0], 'a seal is read as it was written');
    };
    const checkLog = async (given) => {
      const read = await followLog(await decodeSeal(text), checksum, given);
      const held = given.split('\n');
      const isTorn = held.pop() !== '';
      let same = 0;
      while (same < held.length && `${held[same]}\n` === lines[same]) same += 1;
      const missing = held.length - same;
      if (read === null) return demand(missing > 0, 'a log that is whole is followed', given.slice(0, 200));
      const isOld =
        same === 0 &&
        held.every((line) => Number(/"generation":(\d+)/.exec(line)?.[1] ?? Infinity) <= start.generation);
      demand(
        isOld || missing === 0 || (missing === 1 && !isTorn),
        'only the last line of a log may be damaged',
        given.slice(0, 300),
      );
      demandSame(plain(read.seal), truths[same], 'a log leaves the seal as one of its turns did');
      demand(read.state === 'closed' || (missing === 0 && !isTorn), 'what is torn is not appended to');
    };
    const run = async (bytes) => {
      const given = bytes.subarray(1).toString('utf8');
      if ((bytes[0] ?? 0) % 2 === 0) await checkSeal(given);
      else await checkLog(given);
    };
    const seeds = [
      `\0${text}`,
      `\x01${log}`,
      `\x01${lines[0]}`,
      `\x01${lines[0]}${lines[1]}`,
      `\x01${lines[0]}${lines[2]}`,
      `\x01${lines[1]}`,
      `\x01${log.slice(0, -9)}`,
      '\x01',
    ];
    return { seeds, run };
  },
};
