// Numbers as people read them, by Grafana's units, and colours.

export const colours = {
  green: '#2f9e5b',
  orange: '#d9820f',
  red: '#d03a3a',
  blue: '#3b76c4',
  purple: '#8a5cc2',
  text: '#24292f',
};
/** For series without a colour of their own; told apart also without red and green. */
export const palette = [
  '#3b76c4',
  '#e08a1e',
  '#2f9e5b',
  '#8a5cc2',
  '#c0504d',
  '#1fa2a8',
  '#b8860b',
  '#7f8c9a',
];

const scaled = (value, base, units) => {
  let at = 0;
  let rest = Math.abs(value);
  while (rest >= base && at < units.length - 1) {
    rest /= base;
    at += 1;
  }
  return `${value < 0 ? '-' : ''}${trimmed(rest)}${units[at] === '' ? '' : ` ${units[at]}`}`;
};

const trimmed = (value) => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
};

const duration = (value) => {
  const seconds = Math.abs(value);
  const sign = value < 0 ? '-' : '';
  if (seconds === 0) return '0 s';
  if (seconds < 1e-3) return `${sign}${trimmed(seconds * 1e6)} µs`;
  if (seconds < 1) return `${sign}${trimmed(seconds * 1e3)} ms`;
  if (seconds < 120) return `${sign}${trimmed(seconds)} s`;
  if (seconds < 7200) return `${sign}${trimmed(seconds / 60)} min`;
  if (seconds < 172_800) return `${sign}${trimmed(seconds / 3600)} h`;
  return `${sign}${trimmed(seconds / 86_400)} d`;
};

export function worded(value, unit) {
  if (value === undefined || Number.isNaN(value)) return '';
  switch (unit) {
    case 'percentunit':
      return `${trimmed(value * 100)} %`;
    case 's':
      return duration(value);
    case 'bytes':
      return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB']);
    case 'Bps':
      return scaled(value, 1000, ['B/s', 'kB/s', 'MB/s', 'GB/s']);
    case 'ops':
      return `${trimmed(value)} /s`;
    default:
      return scaled(value, 1000, ['', 'k', 'M']);
  }
}

export const colourAt = (value, steps) => {
  const reached = steps.filter((step) => step.value === null || value >= step.value).at(-1);
  return colours[reached?.color ?? 'text'];
};

export const escaped = (text) =>
  String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

export const legendOf = (target, labels) =>
  (target.legendFormat ?? '').replaceAll(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? '');
