// Bounds the values of one label: a name outside the first N is not a series of its own, so that no
// configuration, however large, can grow a scrape without end.

export interface LabelBound {
  /** The name itself when it has series of its own, else null. */
  admit(name: string): string | null;
  /** For counters, which must not lose an increment: the name itself or `other`. */
  counted(name: string): string;
  /** Names with series of their own. */
  readonly names: Iterable<string>;
  /** Names without series of their own. */
  readonly dropped: number;
  /** Makes `names` the ones that count, in order; answers those that had series and have none now. */
  replace(names: readonly string[]): readonly string[];
}

const otherLabel = 'other';

export function boundLabels(maxValues: number): LabelBound {
  let admitted = new Set<string>();
  let dropped = 0;
  const admit = (name: string): string | null => (admitted.has(name) ? name : null);
  return {
    admit,
    counted: (name) => admit(name) ?? otherLabel,
    get names() {
      return admitted;
    },
    get dropped() {
      return dropped;
    },
    replace(names) {
      const distinct = [...new Set(names)];
      const before = admitted;
      admitted = new Set(distinct.slice(0, maxValues));
      dropped = distinct.length - admitted.size;
      return [...before].filter((name) => !admitted.has(name));
    },
  };
}
