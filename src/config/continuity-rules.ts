// What does not go together with the ways keys may change and first uses are made.

import type { ConfigProblem } from '../config.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Route } from '../proxy/route.ts';
import type { Draft } from './drafts.ts';
import { problemAt } from './problem.ts';

/** Of a route as it was built: what it gives holds for its servers, what it leaves out may come from another route. */
export const continuityProblems = (draft: Draft, route: Route): readonly ConfigProblem[] =>
  draft.raw.continuity === 'anchor' ? anchorProblems(draft, route) : [];

function anchorProblems({ place }: Draft, route: Route): readonly ConfigProblem[] {
  const trusts = targetsOf(route).map(({ endpoint, trust }) => ({ endpoint, trust }));
  const other = trusts.find(({ trust }) => trust.policy !== 'ca+tofu');
  if (other !== undefined) {
    const message = `continuity: anchor needs trust: ca+tofu, and ${other.endpoint.name} has trust: ${other.trust.policy}`;
    return [
      problemAt(
        place('continuity'),
        message,
        'an anchor vouches for nothing without its CA: add trust: ca+tofu',
      ),
    ];
  }
  if (!trusts.some(({ trust }) => trust.handOver === true)) return [];
  const message =
    'continuity: anchor and handOver: true exclude each other: an anchor signs no successor of a server';
  return [problemAt(place('continuity'), message, 'remove one of the two')];
}
