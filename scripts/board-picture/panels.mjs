// One function for each kind of panel: from what the queries answered to SVG inside a box.

import { colourAt, colours, escaped, legendOf, palette, worded } from './words.mjs';

const round = (value) => Math.round(value * 10) / 10;
const grey = '#5d6670';

export function drawStat({ fieldConfig: { defaults } }, { results, box }) {
  const value = results[0].series[0]?.points.at(-1)?.[1] ?? Number(defaults.noValue);
  const colour =
    defaults.thresholds === undefined ? colours.text : colourAt(value, defaults.thresholds.steps);
  return `<text x="${box.x + box.w / 2}" y="${box.y + box.h / 2 + 14}" text-anchor="middle" font-size="36" font-weight="600" fill="${colour}">${escaped(worded(value, defaults.unit))}</text>`;
}

export function drawChart({ fieldConfig: { defaults } }, { results, box, range }) {
  const lines = results
    .flatMap(({ target, series }) =>
      series.map(({ labels, points }) => ({
        name: legendOf(target, labels),
        points: points.filter(([, value]) => !Number.isNaN(value)),
      })),
    )
    .filter(({ points }) => points.length > 0);
  const legend = drawLegend(lines, { box, unit: defaults.unit });
  const plot = { x: box.x + 54, y: box.y, w: box.w - 54, h: box.h - legend.height - 18 };
  const isStacked = defaults.custom.stacking.mode === 'normal';
  const stacked = isStacked
    ? stack(lines)
    : lines.map(({ points }) => points.map(([at, value]) => [at, 0, value]));
  const most = Math.max(...stacked.flatMap((points) => points.map(([, , top]) => top)), 0);
  const top = niceTop(most, defaults.unit);
  const xOf = (at) => round(plot.x + ((at - range.start) / (range.end - range.start)) * plot.w);
  const yOf = (value) => round(plot.y + plot.h - (value / top) * plot.h);
  const shape = defaults.custom.drawStyle === 'bars' ? barsOf : isStacked ? areaOf : lineOf;
  return [
    ...axes({ plot, top, unit: defaults.unit, range, xOf, yOf }),
    ...stacked.map((points, index) => shape(points, { xOf, yOf, colour: palette[index % palette.length] })),
    legend.svg,
  ].join('\n');
}

/** Each line on top of those before it, at every time any has. */
function stack(lines) {
  const times = [...new Set(lines.flatMap(({ points }) => points.map(([at]) => at)))].toSorted(
    (a, b) => a - b,
  );
  const floor = new Map(times.map((at) => [at, 0]));
  return lines.map(({ points }) => {
    const values = new Map(points);
    return times.flatMap((at) => {
      const value = values.get(at);
      if (value === undefined) return [];
      const bottom = floor.get(at);
      floor.set(at, bottom + value);
      return [[at, bottom, bottom + value]];
    });
  });
}

function niceTop(most, unit) {
  if (most <= 0) return unit === 'percentunit' ? 0.01 : 1;
  if (unit === 'bytes') {
    const power = 2 ** Math.floor(Math.log2(most));
    return [1, 1.5, 2].map((step) => step * power).find((step) => step >= most * 1.02) ?? 4 * power;
  }
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= most * 1.02) ?? 20 * power;
}

function axes({ plot, top, unit, range, xOf, yOf }) {
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const y = yOf(top * share);
    return `<line x1="${plot.x}" x2="${plot.x + plot.w}" y1="${y}" y2="${y}" stroke="#eceff2"/><text x="${plot.x - 6}" y="${y + 4}" text-anchor="end" font-size="10" fill="${grey}">${escaped(worded(top * share, unit))}</text>`;
  });
  const minutes = [];
  for (let at = range.start; at <= range.end; at += 60)
    minutes.push(
      `<text x="${xOf(at)}" y="${plot.y + plot.h + 14}" text-anchor="${anchorAt(at, range)}" font-size="10" fill="${grey}">${Math.round((at - range.start) / 60)} min</text>`,
    );
  return [...lines, ...minutes];
}

const anchorAt = (at, { start, end }) => (at === start ? 'start' : end - at < 15 ? 'end' : 'middle');

/** Stretches without a gap of more than three steps. */
function stretches(points) {
  const found = [];
  for (const point of points) {
    const last = found.at(-1);
    if (last !== undefined && point[0] - last.at(-1)[0] <= 6) last.push(point);
    else found.push([point]);
  }
  return found;
}

const path = (points) => points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');

const lineOf = (points, { xOf, yOf, colour }) =>
  stretches(points)
    .map(
      (part) =>
        `<path d="${path(part.map(([at, , top]) => [xOf(at), yOf(top)]))}" fill="none" stroke="${colour}" stroke-width="1.4"/>`,
    )
    .join('');

const areaOf = (points, { xOf, yOf, colour }) =>
  stretches(points)
    .map((part) => {
      const upper = part.map(([at, , top]) => [xOf(at), yOf(top)]);
      const lower = part.map(([at, bottom]) => [xOf(at), yOf(bottom)]).toReversed();
      return `<path d="${path([...upper, ...lower])}Z" fill="${colour}" fill-opacity="0.3"/><path d="${path(upper)}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
    })
    .join('');

const barWidth = 6;

const barsOf = (points, { xOf, yOf, colour }) =>
  points
    .map(
      ([at, bottom, top]) =>
        `<rect x="${round(xOf(at) - barWidth)}" y="${yOf(top)}" width="${barWidth}" height="${round(yOf(bottom) - yOf(top))}" fill="${colour}" fill-opacity="0.85"/>`,
    )
    .join('');

function drawLegend(lines, { box, unit }) {
  const items = lines.map(({ name, points }) => ({ name, last: worded(points.at(-1)?.[1], unit) }));
  let x = 0;
  let y = 0;
  const placed = items.map(({ name, last }, index) => {
    const length = 16 + (name.length + last.length + 2) * 6.1 + 12;
    if (x > 0 && x + length > box.w) {
      x = 0;
      y += 16;
    }
    const at = { x: box.x + x, y, index, name, last };
    x += length;
    return at;
  });
  const height = placed.length === 0 ? 0 : y + 16;
  const from = box.y + box.h - height + 12;
  const svg = placed
    .map(
      (item) =>
        `<rect x="${round(item.x)}" y="${from + item.y - 4}" width="10" height="4" fill="${palette[item.index % palette.length]}"/><text x="${round(item.x + 14)}" y="${from + item.y + 2}" font-size="11" fill="${colours.text}">${escaped(item.name)} <tspan fill="${grey}">${escaped(item.last)}</tspan></text>`,
    )
    .join('');
  return { svg, height };
}

export function drawBars({ fieldConfig: { defaults } }, { results, box }) {
  const rows = results.flatMap(({ target, series }) =>
    series.map(({ labels, points }) => ({ name: legendOf(target, labels), value: points.at(-1)[1] })),
  );
  const height = Math.min(34, box.h / rows.length);
  return rows
    .map(({ name, value }, index) => {
      const y = box.y + index * height;
      const colour = colourAt(value, defaults.thresholds.steps);
      const share = Math.min(1, Math.max(0, (value - defaults.min) / (defaults.max - defaults.min)));
      const from = box.x + 150;
      const length = box.w - 215;
      return [
        `<text x="${box.x}" y="${y + height / 2 + 4}" fill="${colours.text}">${escaped(name)}</text>`,
        `<rect x="${from}" y="${y + 6}" width="${length}" height="${height - 12}" fill="#eef0f3"/>`,
        `<rect x="${from}" y="${y + 6}" width="${round(length * share)}" height="${height - 12}" fill="${colour}"/>`,
        `<text x="${box.x + box.w}" y="${y + height / 2 + 4}" text-anchor="end" font-weight="600" fill="${colour}">${escaped(worded(value, defaults.unit))}</text>`,
      ].join('');
    })
    .join('\n');
}

export function drawBands({ fieldConfig: { defaults } }, { results, box, range }) {
  const rows = results.flatMap(({ target, series }) =>
    series.map(({ labels, points }) => ({ name: legendOf(target, labels), points })),
  );
  const words = defaults.mappings[0].options;
  const plot = { x: box.x + 160, w: box.w - 160 };
  const height = Math.min(38, (box.h - 22) / rows.length);
  const xOf = (at) => round(plot.x + ((at - range.start) / (range.end - range.start)) * plot.w);
  const drawn = rows.map(({ name, points }, index) => {
    const y = box.y + index * height + 3;
    const bands = runs(points).map(
      ({ from, to, value }) =>
        `<rect x="${xOf(from)}" y="${round(y)}" width="${round(xOf(to) - xOf(from))}" height="${round(height - 6)}" fill="${colours[words[value].color]}" fill-opacity="0.75"/>`,
    );
    return `<text x="${box.x}" y="${round(y + height / 2 + 2)}" fill="${colours.text}">${escaped(name)}</text>${bands.join('')}`;
  });
  const legend = Object.values(words).map(
    ({ text, color }, index) =>
      `<rect x="${plot.x + index * 90}" y="${box.y + box.h - 8}" width="10" height="10" fill="${colours[color]}" fill-opacity="0.75"/><text x="${plot.x + 15 + index * 90}" y="${box.y + box.h + 1}" font-size="11" fill="${colours.text}">${escaped(text)}</text>`,
  );
  return [...drawn, ...legend].join('\n');
}

function runs(points) {
  const found = [];
  for (const [at, value] of points) {
    const last = found.at(-1);
    if (last?.value === value) last.to = at;
    else {
      if (last !== undefined) last.to = at;
      found.push({ from: at, to: at + 1, value });
    }
  }
  return found;
}

/** Rows of all queries with the same labels are one, as Grafana's merge has it. */
export function drawTable({ transformations, fieldConfig }, { results, box }) {
  const { indexByName, renameByName } = transformations.find(({ id }) => id === 'organize').options;
  const fields = Object.keys(indexByName).toSorted((a, b) => indexByName[a] - indexByName[b]);
  const labels = fields.filter((field) => !field.startsWith('Value'));
  const rows = mergedRows(results, labels);
  const styleOf = (field) => {
    const override = fieldConfig.overrides.find(({ matcher }) => matcher.options === renameByName[field]);
    return Object.fromEntries((override?.properties ?? []).map(({ id, value }) => [id, value]));
  };
  const step = box.w / fields.length;
  const most = Math.floor((box.h - 20) / 24);
  const heads = fields.map(
    (field, index) =>
      `<text x="${round(box.x + index * step)}" y="${box.y + 10}" font-size="11" font-weight="600" fill="${colours.blue}">${escaped(renameByName[field])}</text>`,
  );
  const cells = rows.slice(0, most).flatMap((row, line) => {
    const y = box.y + 34 + line * 24;
    return [
      `<line x1="${box.x}" x2="${box.x + box.w}" y1="${y - 16}" y2="${y - 16}" stroke="#eceff2"/>`,
      ...fields.map((field, index) => {
        const { unit, thresholds } = styleOf(field);
        const value = row[field];
        const text = typeof value === 'number' ? worded(value, unit) : (value ?? '');
        const colour =
          thresholds === undefined || typeof value !== 'number'
            ? colours.text
            : colourAt(value, thresholds.steps);
        return `<text x="${round(box.x + index * step)}" y="${y}" fill="${colour}">${escaped(text)}</text>`;
      }),
    ];
  });
  return [...heads, ...cells].join('\n');
}

function mergedRows(results, labels) {
  const rows = [];
  for (const [index, { target, series }] of results.entries()) {
    const name = results.length === 1 ? 'Value' : `Value #${target.refId}`;
    for (const { labels: found, points } of series) {
      const fits =
        index === 0
          ? []
          : rows.filter((row) =>
              labels.every((label) => found[label] === undefined || found[label] === row[label]),
            );
      const value = { [name]: points.at(-1)[1] };
      if (fits.length === 0) rows.push({ ...found, ...value });
      else for (const row of fits) Object.assign(row, value);
    }
  }
  return rows.toSorted((a, b) => String(a[labels[0]]).localeCompare(String(b[labels[0]])));
}
