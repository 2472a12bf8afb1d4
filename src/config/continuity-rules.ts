// What does not go together with the ways keys may change and first uses are made.

import type { ConfigProblem } from '../config.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Route } from '../proxy/route.ts';
import type { Draft } from './drafts.ts';
import { problemAt } from './problem.ts';
import { vantagesOf, type Vantages } from './vantages.ts';

/** Of a route as it was built: what it gives holds for its servers, what it leaves out may come from another route. */
export const continuityProblems = (draft: Draft, route: Route): readonly ConfigProblem[] => [
  ...(draft.raw.continuity === 'anchor' ? anchorProblems(draft, route) : []),
  ...(draft.raw.corroborate === undefined
    ? []
    : vantageProblems(draft, route, vantagesOf(draft.raw.corroborate))),
];

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

/** A vantage point that can never be asked, or asks the same server the same way, would hold or wave through every first use. */
function vantageProblems(draft: Draft, route: Route, { from, atLeast }: Vantages): readonly ConfigProblem[] {
  const problem = (message: string, hint: string): ConfigProblem =>
    problemAt(draft.place('corroborate'), message, hint);
  const targets = targetsOf(route);
  const found: ConfigProblem[] = [];
  const ports = from.flatMap((vantage) => (vantage.kind === 'port' ? [vantage.port] : []));
  const own = targets.find(({ endpoint }) => ports.includes(endpoint.port));
  if (own !== undefined)
    found.push(
      problem(
        `port ${own.endpoint.port} is the one of ${own.endpoint.name} itself`,
        'name other ports of the host',
      ),
    );
  const addresses = from.some(({ kind }) => kind === 'addresses');
  if (addresses && draft.via !== null) {
    const hint = 'remove the word: to look the name up here would tell the network who is looked for';
    found.push(problem('addresses cannot be asked through a proxy', hint));
  }
  if (atLeast > from.length && !addresses)
    found.push(
      problem(
        `atLeast: ${atLeast} of ${from.length} vantage points can never agree`,
        'name more, or ask for fewer',
      ),
    );
  if (targets.some(({ trust }) => trust.continuity === 'anchor'))
    found.push(
      problem(
        'corroborate compares keys of servers, and continuity: anchor pins that of a CA',
        'remove one of the two',
      ),
    );
  return found;
}
