// Where the parts of a YAML document stand in its text, by path. It reads what was parsed, and changes nothing.

import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Document, Pair, YAMLMap } from 'yaml';
import type { Path } from './problem.ts';

/** Where paths stand. The keys of a mapping are gone through once, however many paths are asked for. */
export class Offsets {
  readonly #parsed: Document.Parsed;
  readonly #pairs = new Map<YAMLMap, ReadonlyMap<unknown, Pair>>();

  constructor(parsed: Document.Parsed) {
    this.#parsed = parsed;
  }

  /** Follows the path as far as it was written; an alias is followed to what it names. */
  of(path: Path, part: 'key' | 'value'): number {
    let offset = startOf(this.#parsed.contents);
    let node: unknown = this.#parsed.contents;
    for (const [index, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(this.#parsed);
      if (isSeq(node) && typeof step === 'number') {
        node = node.items[step];
        offset = startOf(node) || offset;
      } else if (isMap(node)) {
        const pair = this.#pairsOf(node).get(step);
        if (pair === undefined) return offset;
        const wantsKey = part === 'key' && index === path.length - 1;
        offset = startOf(wantsKey || pair.value === null ? pair.key : pair.value) || startOf(pair.key);
        node = pair.value;
      } else return offset;
    }
    return offset;
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<unknown, Pair> {
    const known = this.#pairs.get(map);
    if (known !== undefined) return known;
    const pairs = new Map(map.items.flatMap((pair) => (isScalar(pair.key) ? [[pair.key.value, pair]] : [])));
    this.#pairs.set(map, pairs);
    return pairs;
  }
}

/** 0 for what was not written. */
export const startOf = (node: unknown): number => (isNode(node) ? (node.range?.[0] ?? 0) : 0);
