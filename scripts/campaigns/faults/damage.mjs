// Files of the state directory that are not what they were: every kilobyte of every one of them flipped and cut, files
// deleted, emptied, swapped, put back to an older copy. Of a store that was damaged letterlock says so or refuses to start;
// or all is as before. A server that was known and shows another key is never taken for a new one.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { damages } from './damage-cases.mjs';
import { prepared } from './damage-state.mjs';

const kinds = [
  { name: 'small', imported: 8, end: 'SIGTERM' },
  // So many that what is sealed afterwards is appended.
  { name: 'large', imported: 600, end: 'SIGKILL' },
];

/** However slow the machine is; those that are in no order come first. */
const fewestCases = 30;

export const damage = {
  name: 'damage',
  async run({ build, seconds, chance, folder, signal, say }) {
    const end = performance.now() + seconds * 1000;
    const goesOn = () => performance.now() < end && !signal.aborted;
    const total = { cases: 0, asBefore: 0, damaged: 0, refused: 0, audit: 0, tls: 0, findings: [] };
    const states = await Promise.all(
      kinds.map(async (kind) => {
        const own = join(folder, `damage-${kind.name}`);
        mkdirSync(own);
        return { kind, state: await prepared({ ...kind, build, folder: own }) };
      }),
    );
    try {
      await Promise.all(states.map((one) => judgeAll(one, { chance, goesOn, total, say })));
    } finally {
      for (const { state } of states) await state.close();
    }
    return {
      figures: [
        ['damaged files', total.cases],
        ['as before', total.asBefore],
        ['told damaged', total.damaged],
        ['start refused', total.refused],
        ['told by verify', total.audit],
      ],
      findings: total.findings,
    };
  },
};

async function judgeAll({ kind, state }, { chance, goesOn, total, say }) {
  const own = chance.part(kind.name);
  const untouched = await judge(state, { name: 'nothing was done', hurt: () => undefined });
  const problems = untouched.answer === null ? ['it ended'] : wrongWhenGood(untouched.answer);
  if (problems.length > 0) {
    total.findings.push(`damage: a ${kind.name} store that nothing was done to: ${problems.join('; ')}`);
    return;
  }
  const cases = damages({ now: state.now, older: state.older, chance: own });
  for (const [index, one] of cases.entries()) {
    if (index >= fewestCases && !goesOn()) break;
    const twice = own.next() < 0.3;
    const found = await judgedCase(state, { one, twice, untouched: untouched.answer, total });
    total.cases += 1;
    total.findings.push(
      ...found.map((text) => `damage: ${kind.name} (seed ${own.seed}): ${one.name}: ${text}`),
    );
    if (index % 200 === 199) say(`${kind.name}: ${index + 1} of ${cases.length} cases`);
  }
}

async function judge(state, { hurt }) {
  const copy = await state.damagedCopy(hurt);
  try {
    return { answer: await state.judge(copy.file), copy };
  } finally {
    copy.remove();
  }
}

/** Started once, or twice: what the first start made of it must not look better to the second. */
async function judgedCase(state, { one, twice, untouched, total }) {
  const copy = await state.damagedCopy(one.hurt);
  try {
    const first = await state.judge(copy.file);
    const found = verdictOn(first, untouched, total);
    if (!twice || first === null || found.length > 0) return found;
    const second = await state.judge(copy.file);
    const worse = first.store?.state === 'damaged' && second?.store?.state === 'good';
    return [
      ...verdictOn(second, untouched, null).map((text) => `at the second start: ${text}`),
      ...(worse ? ['a damaged store was good at the second start'] : []),
    ];
  } finally {
    copy.remove();
  }
}

/** Sentences about what must not be. `total` counts what it came to. */
function verdictOn(answer, untouched, total) {
  if (answer === null) return ['the process ended'];
  if (answer.refused !== undefined) {
    if (total !== null) total.refused += 1;
    return answer.refused === 'a mistake' ? [`no clear refusal: ${answer.why}`] : [];
  }
  const { store, clients, verified } = answer;
  const found = wrongInAnyCase(answer, untouched);
  if (store.state !== 'good') {
    if (total !== null) total.damaged += 1;
    if (clients.unknown === 'served') found.push(`a first use with a store that is ${store.state}`);
    if (verified.ok) found.push(`a store that is ${store.state} verifies`);
    return found;
  }
  if (!same(answer.at, untouched.at))
    found.push(`good, and other pins: ${difference(answer.at, untouched.at)}`);
  const told = !verified.ok;
  if (total !== null) total[told ? 'audit' : 'asBefore'] += 1;
  if (!told && !begins(answer.history, untouched.history))
    found.push('good, and entries of the audit log are missing or other ones');
  return [...found, ...(told ? [] : wrongWhenGood(answer))];
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const begins = (rows, first) =>
  Array.isArray(rows) &&
  first.every((row, index) => rows[index]?.hash === row.hash && same(rows[index], row));

function difference(rows, before) {
  const known = new Map(before.map((row) => [row.endpoint, JSON.stringify(row)]));
  const others = rows.filter((row) => known.get(row.endpoint) !== JSON.stringify(row));
  return `${rows.length} endpoints in place of ${before.length}, others are ${JSON.stringify(others).slice(0, 300)}`;
}

/** Whatever state the store is in: nobody new is trusted, nobody hears what was not for him. */
function wrongInAnyCase({ clients, after }, untouched) {
  const { wrong, never, stolen, tls, served } = clients;
  const found = [];
  for (const [name, came] of Object.entries(wrong))
    if (came === 'served') found.push(`an impostor of ${name} was served`);
  if (never === 'served') found.push('a rejected key was served');
  if (stolen > 0) found.push('an impostor heard what a client said');
  if (tls !== 'verified') found.push(`a client that imported the local CA is shown another: ${tls}`);
  const late = Object.entries({ ...wrong, ...served, unknown: clients.unknown }).filter(
    ([, came]) => came === 'late' || came === 'broken',
  );
  if (late.length > 0) found.push(`no answer: ${JSON.stringify(late)}`);
  const known = new Map(untouched.at.map(({ endpoint, pins }) => [endpoint, new Set(pins)]));
  for (const { endpoint, pins } of after)
    for (const pin of pins)
      if (known.has(endpoint) && !known.get(endpoint).has(pin))
        found.push(`${endpoint} has a new pin: ${pin}`);
  return found;
}

function wrongWhenGood(answer) {
  if (answer.refused !== undefined) return [`refused: ${answer.why}`];
  const { clients, store } = answer;
  const found = Object.entries(clients.served)
    .filter(([, came]) => came !== 'served')
    .map(([name, came]) => `${name} with its right key: ${came}`);
  if (clients.unknown !== 'served') found.push(`a first use: ${clients.unknown}`);
  if (store.state !== 'good') found.push(`the store is ${store.state}: ${store.detail}`);
  return found;
}
