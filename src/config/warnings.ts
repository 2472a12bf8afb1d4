// What works as it is written, and should still be known by whoever wrote it.

import type { ConfigProblem } from '../config.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Route } from '../proxy/route.ts';
import { daneIgnored } from './dane-rules.ts';
import type { Draft } from './drafts.ts';
import { problemAt } from './problem.ts';

export const routeWarnings = (draft: Draft, route: Route): readonly ConfigProblem[] => [
  ...pinsIgnored(draft, route),
  ...daneIgnored(draft, route),
  ...idleHandOver(draft, route),
  ...idleCorroborate(draft, route),
  ...idleGroups(draft),
  ...oldClientTls(draft, route),
  ...legacy(draft, route),
];

function pinsIgnored({ raw, place }: Draft, route: Route): readonly ConfigProblem[] {
  if (raw.pins === undefined || raw.pins.length === 0) return [];
  const blind = targetsOf(route).find(({ trust }) => trust.policy === 'ca' || trust.policy === 'dane');
  if (blind === undefined) return [];
  const hint = 'use trust: pinned to accept these keys only';
  return [problemAt(place('pins'), `pins have no effect under trust: ${blind.trust.policy}`, hint)];
}

function idleHandOver({ raw, place }: Draft, route: Route): readonly ConfigProblem[] {
  if (raw.handOver !== true) return [];
  const trusts = targetsOf(route).map(({ trust }) => trust);
  if (trusts.some(({ policy }) => policy === 'ca')) {
    const hint = 'it is for servers whose own key is pinned';
    return [problemAt(place('handOver'), 'handOver has no effect under trust: ca', hint)];
  }
  if (!trusts.some(({ configPins }) => configPins.length > 0)) return [];
  const message = 'a key in pins: hands over to none: only its line can replace it';
  return [problemAt(place('handOver'), message, 'pin it with letterlock pins add instead')];
}

function idleCorroborate({ raw, place }: Draft, route: Route): readonly ConfigProblem[] {
  if (raw.corroborate === undefined) return [];
  const trust = targetsOf(route).find(
    (target) =>
      target.trust.policy === 'ca' || target.trust.policy === 'pinned' || target.trust.firstUse !== 'accept',
  )?.trust;
  if (trust === undefined) return [];
  const because = trust.firstUse === 'accept' ? `trust: ${trust.policy}` : `firstUse: ${trust.firstUse}`;
  const hint = 'it looks at first uses that are made by themselves';
  return [problemAt(place('corroborate'), `corroborate has no effect under ${because}`, hint)];
}

function idleGroups({ listen, place }: Draft): readonly ConfigProblem[] {
  return listen.flatMap((each) => {
    if (each.place.kind !== 'unix' || each.place.group === null || (each.place.mode & 0o020) !== 0) return [];
    const mode = each.place.mode.toString(8).padStart(4, '0');
    const message = `the group ${each.place.group} cannot connect to a socket of mode ${mode}`;
    return [problemAt(place(...each.path), message, 'add mode: "0660"')];
  });
}

function oldClientTls({ place }: Draft, { clientTls }: Route): readonly ConfigProblem[] {
  const { minVersion } = clientTls;
  if (minVersion !== 'TLSv1' && minVersion !== 'TLSv1.1') return [];
  return [
    problemAt(
      place('clientTls', 'minVersion'),
      `${minVersion} is weak: whoever can read the network between client and letterlock may read passwords`,
      'for devices that know nothing newer; give them a route of their own',
    ),
  ];
}

function legacy({ place }: Draft, { legacyServer }: Route): readonly ConfigProblem[] {
  if (!legacyServer) return [];
  return [
    problemAt(
      place('legacyServer'),
      'TLS 1.0 and weak ciphers may be read on the way; the server is accepted on a live pin only',
      'pin its key first, with pins: or letterlock pins add, and remove the line when the server is renewed',
    ),
  ];
}
