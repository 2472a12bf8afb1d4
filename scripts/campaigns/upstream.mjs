// Hostile upstream: a scripted server (upstream/script.mjs) does to letterlock, as it is built, what somebody on the path or
// in a server's place can do before, in and right after the handshake; each script on a route of its own of one daemon, many
// at a time. Of each it is asked whether the password went nowhere, nothing of the server's came through, the refusal was the
// right one in words, in time and in the counters, memory stayed bounded, and the next good session worked
// (upstream/oracle.mjs). The long form plays the same scripts to stunnel and to a deliberately naive proxy and tells what
// came of it; the short one plays some to the naive proxy, to show that what is looked for can be seen.

import { makeAuthority } from './upstream/authority.mjs';
import { numbersFrom } from './lab/numbers.mjs';
import { chooseScripts } from './upstream/choice.mjs';
import { addTo, comparable, compare, totalOf } from './upstream/comparison.mjs';
import { readBuild } from './upstream/oracle.mjs';
import { Naive, Stunnel } from './upstream/peers.mjs';
import { plantedUpstream } from './upstream/planted.mjs';
import { Trial } from './upstream/trial.mjs';
import { readyUsed } from './upstream/warm-oracle.mjs';

/** From here on a run plays everything, and to the others as well. */
const longSeconds = 120;
/** Routes of one daemon. */
const together = 700;
/** Of the time there is, for letterlock; the others share the rest. */
const ownShare = 0.6;
/** In the short form: so many scripts show that a naive proxy is caught. */
const sample = 60;
const sampleMs = 2500;

async function play(scripts, tools) {
  const outcome = { findings: [], trials: [], rows: {} };
  for (
    let from = 0;
    from < scripts.length && performance.now() < tools.until && !tools.signal.aborted;
    from += together
  ) {
    const trial = new Trial(scripts.slice(from, from + together), tools);
    tools.say(`letterlock: ${trial.stages.length} scripts from ${from} of ${scripts.length}`);
    await trial.run();
    outcome.trials.push(trial);
    outcome.findings.push(...trial.findings);
    for (const { script, visits, sight, findings } of trial.stages) {
      if (sight === undefined) continue;
      const served = visits.some(({ end }) => end === 'served');
      addTo(outcome.rows, script.kind, { scripts: 1, ...sight, served, findings: findings.length });
    }
  }
  return outcome;
}

function ownFigures({ trials, rows }) {
  const total = totalOf(rows);
  const next = trials.flatMap((trial) => trial.nextMs).toSorted((one, other) => one - other);
  const grown = Math.max(...trials.map(({ memory }) => (memory.peak - memory.before) / 1024));
  return [
    ['scripts', total.scripts ?? 0],
    ['kinds', Object.keys(rows).length],
    [
      'clients',
      trials.reduce(
        (sum, { stages }) => sum + stages.reduce((clients, { visits }) => clients + visits.length, 0),
        0,
      ),
    ],
    ['served', total.served ?? 0],
    ['leaks', total.leaked ?? 0],
    ['relayed', total.relayed ?? 0],
    ['hangs', total.hung ?? 0],
    ['of a ready one', usedOf(trials).served],
    ['DNS questions', trials.reduce((sum, { questions }) => sum + questions, 0)],
    ['late once', trials.reduce((sum, { lateOnce = 0 }) => sum + lateOnce, 0)],
    ['good sessions', next.length],
    ['slowest of them ms', Math.round(next.at(-1) ?? 0)],
    ['memory grew MiB', Math.round(grown)],
    ['limits s', '3/3/3'],
  ];
}

const usedOf = (trials) => readyUsed(trials.flatMap(({ stages }) => stages));

/** Scripts of connections made ahead of a client try nothing where no client is ever given one. */
function unused(trials) {
  const { good, served } = usedOf(trials);
  return served * 2 >= good
    ? []
    : [`of ${good} good connections made ahead of a client ${served} served one: they are not tried`];
}

const peerFigures = (name, { played, total }) => [
  [`${name} played`, played],
  [`${name} leaks`, total.leaked ?? 0],
  [`${name} relayed`, total.relayed ?? 0],
  [`${name} hangs`, total.hung ?? 0],
];

/** Scripts that show whether a leak, and a mark that came through, can be seen. */
const telling = (script) =>
  comparable(script) && script.waits.length === 0 && /^C[1-8] |^certificate$/.test(script.kind);

async function proveSight(scripts, tools) {
  const chosen = scripts.filter(telling).slice(0, sample);
  const seen = await compare(() => new Naive(tools.folder), chosen, {
    ...tools,
    until: performance.now() + 20_000,
    deadlineMs: sampleMs,
  });
  const blind = ['leaked', 'relayed'].filter((what) => (seen.total[what] ?? 0) === 0);
  const findings = blind.map(
    (what) => `of the naive proxy nothing was seen to be ${what}: what is looked for cannot be seen`,
  );
  return {
    figures: peerFigures('naive', seen),
    findings: tools.signal.aborted ? [] : findings,
    tables: { naive: seen.rows },
  };
}

async function compareAll(scripts, tools) {
  const { began, seconds, folder, say, seed } = tools;
  const random = numbersFrom(seed);
  // As far as the time goes, some of everything.
  const chosen = scripts
    .filter(comparable)
    .map((script) => ({ script, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ script }) => script);
  const rest = (began + seconds * 1000 - performance.now()) / 2;
  const figures = [];
  const findings = [];
  const tables = {};
  for (const Peer of [Naive, Stunnel]) {
    const name = Peer.name.toLowerCase();
    if (Peer === Stunnel && Stunnel.version() === null) {
      figures.push(['stunnel', 'not installed']);
      if (process.env.CI) findings.push('stunnel is not installed: nothing to compare with');
      continue;
    }
    const probe = new Peer(folder);
    const able = chosen.filter((script) => Peer !== Stunnel || probe.can(script));
    say(`${name}: ${able.length} scripts`);
    const seen = await compare(() => new Peer(folder), able, { ...tools, until: performance.now() + rest });
    if (Peer === Stunnel) figures.push(['stunnel version', Stunnel.version()]);
    figures.push(...peerFigures(name, seen));
    tables[name] = seen.rows;
  }
  return { figures, findings, tables };
}

export const campaign = {
  name: 'upstream',
  title: 'a hostile server before and in TLS',
  short: 20,
  proof: 40,
  long: 900,
  planted: plantedUpstream,
  async run({ build, seconds, seed, folder, signal, say }) {
    const began = performance.now();
    const form = seconds < longSeconds ? 'short' : 'long';
    const scripts = chooseScripts(form, seed);
    const share = form === 'short' ? 1 : ownShare;
    const until = began + seconds * share * 1000;
    const tools = {
      authority: await makeAuthority(),
      read: await readBuild(build),
      build,
      folder,
      signal,
      say,
      until,
      began,
      seconds,
      seed,
    };
    const own = await play(scripts, tools);
    const others = form === 'short' ? await proveSight(scripts, tools) : await compareAll(scripts, tools);
    return {
      figures: [...ownFigures(own), ...others.figures],
      findings: [...own.findings, ...(signal.aborted ? [] : unused(own.trials)), ...others.findings],
      tables: { letterlock: own.rows, ...others.tables },
    };
  },
};
