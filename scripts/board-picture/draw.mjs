// Draws the panels of the board as one SVG: the grid, sizes, thresholds and units are those of the board's file.

import { drawBands, drawBars, drawChart, drawStat, drawTable } from './panels.mjs';
import { escaped } from './words.mjs';

const width = 1500;
const column = (width - 20) / 24;
const unit = 34;
const head = 46;

const drawers = {
  stat: drawStat,
  timeseries: drawChart,
  table: drawTable,
  bargauge: drawBars,
  'state-timeline': drawBands,
};

/** `answers`: every panel with what its queries answered over `range`. */
export function draw(answers, range) {
  const bottom = Math.max(...answers.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h));
  const height = head + bottom * unit + 16;
  const body = answers.map(({ panel, results }) =>
    panel.type === 'row' ? row(panel) : framed(panel, results, range),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="12">`,
    `<title>The letterlock board, drawn by scripts/board-picture.mjs from a real Prometheus</title>`,
    `<rect width="${width}" height="${height}" fill="#f4f5f7"/>`,
    `<text x="16" y="29" font-size="18" font-weight="600" fill="#24292f">letterlock</text>`,
    `<text x="${width - 16}" y="29" text-anchor="end" fill="#5d6670">${escaped(`${range.end - range.start} s of a real Prometheus, drawn by scripts/board-picture.mjs and not by Grafana`)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

const boxOf = ({ x, y, w, h }) => ({
  x: 10 + x * column + 4,
  y: head + y * unit + 4,
  w: w * column - 8,
  h: h * unit - 8,
});

function row({ title, gridPos }) {
  const { x, y } = boxOf(gridPos);
  return `<text x="${x + 2}" y="${y + 19}" font-size="14" font-weight="600" fill="#24292f">${escaped(title)}</text>`;
}

function framed(panel, results, range) {
  const box = boxOf(panel.gridPos);
  const inner = { x: box.x + 12, y: box.y + 30, w: box.w - 24, h: box.h - 40 };
  const isEmpty = results.every(({ series }) => series.length === 0);
  const content =
    isEmpty && panel.fieldConfig.defaults.noValue === undefined
      ? `<text x="${box.x + box.w / 2}" y="${box.y + box.h / 2 + 8}" text-anchor="middle" fill="#8b949e">No data</text>`
      : drawers[panel.type](panel, { results, box: inner, range });
  return [
    `<g>`,
    `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3" fill="#fff" stroke="#dde1e6"/>`,
    `<text x="${box.x + 12}" y="${box.y + 20}" font-weight="600" fill="#24292f">${escaped(panel.title)}</text>`,
    content,
    `</g>`,
  ].join('\n');
}
