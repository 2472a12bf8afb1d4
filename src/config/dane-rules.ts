// What is wrong with how a configuration asks for DANE: nobody to ask, or nothing that DNS could know.

import type { ConfigProblem } from '../config.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Route, Target } from '../proxy/route.ts';
import { asksDane } from '../trust/evidence.ts';
import type { Draft, Drafts } from './drafts.ts';
import type { Ground } from './ground.ts';
import { giverOf } from './neighbours.ts';
import { placeName, problemAt } from './problem.ts';
import type { Place } from './problem.ts';

/** A route, as written and as built. */
export interface BuiltRoute {
  readonly draft: Draft;
  readonly route: Route;
}

export function daneProblems(
  ground: Ground,
  { drafts, built }: { readonly drafts: Drafts; readonly built: readonly BuiltRoute[] },
): readonly ConfigProblem[] {
  const asking = built.flatMap(({ route }) => targetsOf(route)).filter(({ trust }) => asksDane(trust));
  const found = asking.map((target) => {
    const key = target.trust.policy === 'dane' ? 'trust' : 'dane';
    const place = giverOf(key, target.endpoint, drafts)?.place(key) ?? ground.layers.locate([key]);
    return { target, key, place } as const;
  });
  return [
    ...once(isResolverWritten(ground) ? [] : found.map(withoutResolver)),
    ...once(found.flatMap((asked) => (isInDns(asked.target) ? [] : [outsideDns(asked)]))),
  ];
}

type Asked = {
  readonly target: Target;
  readonly key: 'trust' | 'dane';
  readonly place: Place;
};

/** Also one that is wrong: that is a problem by itself. */
const isResolverWritten = ({ layers }: Ground): boolean =>
  layers.value['resolver'] !== undefined && layers.value['resolver'] !== null;

const settingOf = ({ key }: Asked): string => (key === 'trust' ? 'trust: dane' : 'dane: prefer');

const withoutResolver = (asked: Asked): ConfigProblem =>
  problemAt(
    asked.place,
    `${settingOf(asked)} needs a resolver that checks DNSSEC`,
    'add resolver: 127.0.0.1, with the address of one on this machine',
  );

const isInDns = ({ endpoint: { kind, host } }: Target): boolean =>
  kind === 'dns' && host !== 'onion' && !host.endsWith('.onion');

const outsideDns = (asked: Asked): ConfigProblem =>
  problemAt(
    asked.place,
    `${settingOf(asked)} cannot hold for ${asked.target.endpoint.name}: the DNS knows no TLSA records of it`,
    asked.key === 'trust' ? 'give its route another trust policy' : 'give its route dane: off',
  );

/** Many routes may follow one line. */
function once(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const seen = new Map(problems.map((problem) => [`${placeName(problem)} ${problem.message}`, problem]));
  return [...seen.values()];
}

/** It asks beside `auto` alone. */
export function daneIgnored({ raw, place }: Draft, route: Route): readonly ConfigProblem[] {
  if (raw.dane !== 'prefer') return [];
  const other = targetsOf(route).find(({ trust }) => trust.policy !== 'auto');
  if (other === undefined) return [];
  const { policy } = other.trust;
  const hint = policy === 'dane' ? 'remove the line' : 'it works with trust: auto';
  return [problemAt(place('dane'), `dane: prefer has no effect under trust: ${policy}`, hint)];
}
