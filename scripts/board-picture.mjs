// A picture of the board, fed from a real Prometheus that scrapes a real letterlock; drawn by this script and not
// by Grafana, which it only resembles. Usage: npm run build && node scripts/board-picture.mjs [FILE.svg [SECONDS]]
// Needs prometheus. Everything it starts ends with it, and nothing leaves the loopback interface.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { draw } from './board-picture/draw.mjs';
import { ask, startPrometheus } from './board-picture/prometheus.mjs';
import { startWorld } from './board-picture/world.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [file = join(root, 'docs/pictures/board.svg'), seconds = '240'] = process.argv.slice(2);
const program = join(root, 'dist/cmd/letterlock.js');
if (!existsSync(program)) throw new Error('there is no dist: npm run build');

const board = JSON.parse(readFileSync(join(root, 'config/grafana/letterlock.json'), 'utf8'));
const world = await startWorld(root, Number(seconds) * 1000);
try {
  const prometheus = await startPrometheus(world);
  try {
    // Counters have to be seen at 0 before the first event.
    await delay(3000);
    const start = Math.floor(Date.now() / 1000) - 10;
    await world.act();
    const range = { start, end: start + 10 + Number(seconds) };
    const answers = [];
    for (const panel of board.panels)
      answers.push({ panel, results: await ask(prometheus.url, panel, range) });
    writeFileSync(file, draw(answers, range));
    const empty = answers.filter(
      ({ panel, results }) => panel.type !== 'row' && results.every(({ series }) => series.length === 0),
    );
    console.log(`${file}: ${answers.length - empty.length} of ${answers.length} panels with data`);
    for (const { panel } of empty) console.log(`  no data: ${panel.title}`);
  } finally {
    await prometheus.stop();
  }
} finally {
  await world.stop();
}
