// scripts/campaign, once everything is installed and built.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { campaigns } from './list.mjs';
import { chosen, readOptions, usage } from './options.mjs';
import { brokenBuild } from './planted.mjs';
import { settled } from './settled.mjs';

const dist = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist');
const broke = 'the campaign itself broke:';
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort());

function options() {
  try {
    const read = readOptions(process.argv.slice(2));
    return { ...read, campaigns: chosen(campaigns, read.only) };
  } catch (error) {
    if (!(error instanceof TypeError) && error?.code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw error;
    console.error(`${error.message}\n\n${usage}`);
    return process.exit(2);
  }
}

/** What it found; a campaign that breaks has found that. */
async function outcomeOf(campaign, { build, seconds, seed }) {
  const folder = mkdtempSync(join(tmpdir(), `campaign-${campaign.name}-`));
  const began = performance.now();
  const say = (line) => console.error(`   ${campaign.name}: ${line}`);
  try {
    const { figures, findings, tables } = await campaign.run({
      build,
      seconds,
      seed,
      folder,
      signal: stop.signal,
      say,
    });
    return { figures, findings, tables, took: (performance.now() - began) / 1000 };
  } catch (error) {
    const findings = [`${broke} ${error instanceof Error ? error.stack : String(error)}`];
    return { figures: [], findings, took: (performance.now() - began) / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const line = (campaign, { figures, findings, took }) =>
  `${campaign.name}: ${[...figures, ['findings', findings.length], ['seconds', Math.round(took)]].map(([label, value]) => `${label} ${value}`).join(', ')}`;

async function runAll(asked, seed) {
  const results = [];
  for (const campaign of asked.campaigns) {
    if (stop.signal.aborted) break;
    const seconds = asked.seconds ?? campaign[asked.mode];
    const given = { build: asked.build ?? dist, seconds, seed };
    const outcome = await settled(() => outcomeOf(campaign, given), {
      signal: stop.signal,
      once: (finding) => console.log(`  found once, tried again: ${finding}`),
    });
    results.push({ campaign: campaign.name, ...outcome });
    console.log(line(campaign, outcome));
    for (const finding of outcome.findings) console.log(`  FOUND: ${finding}`);
  }
  return { results, clean: results.every(({ findings }) => findings.length === 0) };
}

/** What a campaign finds by chance, or breaks on, proves nothing. */
const isOf = ({ says = /./ }, finding) => says.test(finding) && !finding.startsWith(broke);

/** Each broken place has to be found by its campaign. */
async function proveAll(asked, seed) {
  const results = [];
  for (const campaign of asked.campaigns) {
    for (const planted of campaign.planted) {
      if (stop.signal.aborted) break;
      const { build, remove } = await brokenBuild(planted);
      try {
        const outcome = await outcomeOf(campaign, { build, seconds: asked.seconds ?? campaign.proof, seed });
        const findings = outcome.findings.filter((finding) => isOf(planted, finding));
        results.push({ campaign: campaign.name, planted: planted.name, ...outcome, findings });
        const [first] = findings;
        console.log(
          `${campaign.name}, which ${planted.name}: ${first === undefined ? 'NOT FOUND' : `found (${first.slice(0, 160)})`}`,
        );
      } finally {
        remove();
      }
    }
  }
  return { results, clean: results.every(({ findings }) => findings.length > 0) };
}

const asked = options();
if (asked.help) console.log(usage);
else if (asked.list)
  for (const { name, title, short, long } of asked.campaigns)
    console.log(`${name.padEnd(12)} ${title} (${short} s, long ${long} s)`);
else {
  const seed = asked.seed ?? randomInt(1, 2 ** 31);
  console.log(`seed ${seed}`);
  const { results, clean } = await (asked.planted ? proveAll(asked, seed) : runAll(asked, seed));
  if (asked.json !== null) writeFileSync(asked.json, `${JSON.stringify({ seed, results }, null, 1)}\n`);
  if (stop.signal.aborted) console.log('stopped before its end');
  process.exitCode = clean && !stop.signal.aborted ? 0 : 1;
}
