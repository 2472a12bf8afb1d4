// NameConstraints of RFC 5280 section 4.2.1.10: read strictly, and asked whether names keep to them. OpenSSL checks
// them too, but takes a wildcard for the letters it is written in (CVE-2025-61727 was the same in Go), and Node has
// no code for what it finds. What cannot be decided for sure is a violation.

import { type BoundName, boundNamesOf } from './bound-name.ts';
import { type Der, DerError, elementsOf, Fields, readOnly, tags } from './der.ts';
import { type Relation, relationOf } from './name-subtree.ts';

interface Subtree {
  readonly base: BoundName;
  /** Has the minimum or maximum that the standard never allows. */
  readonly bounded: boolean;
}

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const maxSubtrees = 4096;

const subtreesOf = (element: Der): readonly Subtree[] => {
  const [base, ...bounds] = elementsOf(element, 3);
  if (element.tag !== tags.sequence || base === undefined) throw new DerError('not a subtree');
  const bounded = bounds.length > 0;
  return boundNamesOf(base).map((name) => ({ base: name, bounded }));
};

const listOf = (list: Der | null): readonly Subtree[] => {
  if (list === null) return [];
  if (list.content.length === 0) throw new DerError('an empty list of subtrees');
  return elementsOf(list, maxSubtrees).flatMap(subtreesOf);
};

/** Throws DerError, also when nothing is constrained. */
export const readNameConstraints = (value: Uint8Array): NameConstraints => {
  const fields = new Fields(readOnly(value, tags.sequence));
  const permitted = fields.takeIf(0xa0);
  const excluded = fields.takeIf(0xa1);
  fields.end();
  if (permitted === null && excluded === null) throw new DerError('constraints on nothing');
  return { permitted: listOf(permitted), excluded: listOf(excluded) };
};

const doubtful: Relation = { inside: false, touches: true };

/** What the subtrees say of the name; those of other forms say nothing. */
const relations = (name: BoundName, subtrees: readonly Subtree[]): readonly Relation[] =>
  subtrees.flatMap(({ base, bounded }) => {
    const relation = relationOf(name, base);
    if (relation === null) return [];
    return [bounded ? doubtful : relation];
  });

const keeps = (name: BoundName, { permitted, excluded }: NameConstraints): boolean => {
  const allowed = relations(name, permitted);
  if (allowed.length > 0 && !allowed.some(({ inside }) => inside)) return false;
  return !relations(name, excluded).some(({ touches }) => touches);
};

/** Names and the constraints of a CA above them. */
export interface Bond {
  readonly names: readonly BoundName[];
  readonly constraints: NameConstraints;
}

/** More comparisons than any honest path needs; past them the constraints count as broken. */
const maxComparisons = 50_000;

const comparisons = ({ names, constraints }: Bond): number =>
  names.length * (constraints.permitted.length + constraints.excluded.length);

/** Whether all names of a path keep to the constraints above them. */
export const keepTo = (bonds: readonly Bond[]): boolean =>
  bonds.reduce((sum, bond) => sum + comparisons(bond), 0) <= maxComparisons &&
  bonds.every(({ names, constraints }) => names.every((name) => keeps(name, constraints)));
