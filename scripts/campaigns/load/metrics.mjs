// The daemon's own metrics, read.

import { fetchOver } from '../../benchmark/growth-world.mjs';

/** Every sample there is. */
export async function scrape(port) {
  const { text } = await fetchOver(port, { path: '/metrics', keep: true });
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Metrics(samples.map(sampleOf));
}

function sampleOf(line) {
  const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
  return {
    name,
    value: Number(value),
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text])),
  };
}

class Metrics {
  #samples;

  constructor(samples) {
    this.#samples = samples;
  }

  /** Of all samples of this name with these labels. */
  sum(name, labels = {}) {
    return this.all(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  all(name, labels = {}) {
    const wanted = Object.entries(labels);
    return this.#samples.filter(
      (sample) => sample.name === name && wanted.every(([key, text]) => sample.labels[key] === text),
    );
  }
}
