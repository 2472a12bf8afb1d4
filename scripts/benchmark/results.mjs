// What has been measured so far: `{id: {title, unit, samples: {entrant: [number]}}}`, in the order it came.

const parts = {
  p50: { title: ', p50' },
  p99: { title: ', p99' },
  base: { title: ', before the first', unit: 'KiB' },
  idle: { title: ', processor while idle', unit: 'ms/s' },
  accept: { title: ' to the first connection accepted' },
  greeting: { title: ' to the first greeting' },
  cold: { title: ', no connection kept' },
  warm: { title: ', one kept (warm: 1)' },
  first: { title: ', one kept, first client 1 s after start' },
};

export class Results {
  all = {};
  /** A sentence for each workload that broke. */
  troubles = [];
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  changed() {
    this.#changed();
  }

  trouble({ title }, error) {
    const cause = error.cause === undefined ? '' : ` (${error.cause.message})`;
    this.troubles.push(`${title}: ${error.message}${cause}`);
  }

  /** `(entrant, number, part)` adds one number. */
  listener({ id, title, unit }) {
    return (entrant, number, part = '') => {
      const key = part === '' ? id : `${id} ${part}`;
      const about = parts[part];
      this.all[key] ??= { title: `${title}${about?.title ?? ''}`, unit: about?.unit ?? unit, samples: {} };
      (this.all[key].samples[entrant] ??= []).push(number);
    };
  }
}
