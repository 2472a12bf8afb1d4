// What is wrong with the server's side of one route: its servers, the way to them, what is spoken there.

import type { ConfigProblem } from '../config.ts';
import { bracketed } from '../endpoint.ts';
import { targetsOf } from '../proxy/route.ts';
import type { Route } from '../proxy/route.ts';
import type { Policy } from '../trust/evidence.ts';
import type { Draft } from './drafts.ts';
import { problemAt } from './problem.ts';
import type { Path } from './problem.ts';
import { loginFault } from './proxy-url.ts';
import { upstreamUrl } from './upstream.ts';

export const serverProblems = (draft: Draft): readonly ConfigProblem[] => [
  ...otherKinds(draft),
  ...serversTwice(draft),
  ...ofOneServer(draft),
  ...addressesTwice(draft),
  ...proxyProblems(draft),
  ...onionProblems(draft),
  ...legacyProblems(draft),
  ...warmProblems(draft),
];

/** The client does not know which server it got: all must be spoken to alike. */
function otherKinds({ scheme, servers, place }: Draft): readonly ConfigProblem[] {
  return servers
    .filter(({ upstream }) => upstream.scheme !== scheme)
    .map(({ upstream, path }) =>
      problemAt(
        place(...path),
        `${upstreamUrl(upstream)} cannot stand in for a server of ${scheme.scheme}://`,
        `write ${scheme.scheme}://${bracketed(upstream.host.host)}, or make a route of its own for it`,
      ),
    );
}

function serversTwice({ servers, place }: Draft): readonly ConfigProblem[] {
  const names = servers.map(({ upstream }) => `${bracketed(upstream.host.host)}:${upstream.port}`);
  return servers.flatMap(({ path }, at) => {
    const name = names[at] ?? '';
    if (names.indexOf(name) === at) return [];
    return [problemAt(place(...path), `${name} stands in this route twice`, 'remove one of the two')];
  });
}

function ofOneServer({ raw, servers, place }: Draft): readonly ConfigProblem[] {
  if (servers.length === 1) return [];
  return (['address', 'serverName'] as const)
    .filter((key) => raw[key] !== undefined)
    .map((key) =>
      problemAt(
        place(key),
        `${key} is for a route with one upstream, this one has ${servers.length}`,
        key === 'address'
          ? 'give each server a route of its own, or one upstream and several addresses'
          : 'give each server a route of its own',
      ),
    );
}

function addressesTwice({ addresses, place }: Draft): readonly ConfigProblem[] {
  const texts = addresses.map(({ host, port }) => `${bracketed(host)}:${port}`);
  return texts.flatMap((text, at) =>
    texts.indexOf(text) < at
      ? [problemAt(place('address', at), `the address ${text} stands there twice`, 'remove one of the two')]
      : [],
  );
}

function proxyProblems({ raw, via, place }: Draft): readonly ConfigProblem[] {
  if (raw.proxy === undefined || via === null) return [];
  const file = typeof raw.proxy === 'object' ? raw.proxy.passwordFile : undefined;
  if (file === undefined) {
    const fault = loginFault(via);
    const hint = 'write USER:PASSWORD@ before the host, or proxy: {url, passwordFile}';
    return fault === null ? [] : [problemAt(place('proxy'), fault, hint)];
  }
  const at = place('proxy', 'passwordFile');
  if (via.login === null)
    return [problemAt(at, 'passwordFile needs a user in the URL', 'write USER@ before the host')];
  return via.login.password === ''
    ? []
    : [problemAt(at, 'the password stands in the URL too', 'remove it there')];
}

const isOnion = (host: string): boolean => host === 'onion' || host.endsWith('.onion');

/** RFC 7686: such a name means something inside Tor only, and asking DNS for it tells where one goes. */
function onionProblems({ raw, servers, addresses, via, place }: Draft): readonly ConfigProblem[] {
  const written = raw.address === undefined ? servers[0].path : ['address'];
  const dialled: readonly (readonly [string, Path])[] =
    addresses.length > 0
      ? addresses.map(({ host }, at) => [host, [...written, at]] as const)
      : servers.map(({ endpoint, path }) => [endpoint.host, path] as const);
  const unreachable = via?.kind === 'socks5' ? [] : dialled.filter(([host]) => isOnion(host));
  const problems = unreachable.map(([host, path]) =>
    problemAt(
      place(...path),
      `${host} can be reached through Tor only`,
      'add proxy: socks5://127.0.0.1:9050, with the port of your Tor',
    ),
  );
  if (via === null || !isOnion(via.host)) return problems;
  return [
    ...problems,
    problemAt(place('proxy'), 'a proxy cannot have a .onion name', 'name it by its address'),
  ];
}

function legacyProblems({ raw, place }: Draft): readonly ConfigProblem[] {
  if (raw.legacyServer !== true || raw.minVersion === undefined) return [];
  const message = 'minVersion does not go with legacyServer: true, which begins with TLS 1.0';
  return [problemAt(place('minVersion'), message, 'remove one of the two')];
}

/** A policy that asks a CA or the DNS would rest on a connection that can be changed on the way. */
export function legacyPolicyProblems({ place }: Draft, route: Route): readonly ConfigProblem[] {
  if (!route.legacyServer) return [];
  const target = targetsOf(route).find(({ trust }) => unfitForLegacy.has(trust.policy));
  if (target === undefined) return [];
  const message = `legacyServer: true does not go with trust: ${target.trust.policy} of ${target.endpoint.name}: what ${target.trust.policy === 'dane' ? 'the DNS' : 'a CA'} says over such a connection is worth nothing`;
  return [problemAt(place('legacyServer'), message, 'use trust: pinned, tofu or auto for this server')];
}

const unfitForLegacy: ReadonlySet<Policy> = new Set<Policy>(['ca', 'ca+tofu', 'dane']);

function warmProblems({ raw, scheme, place }: Draft): readonly ConfigProblem[] {
  if ((raw.warm ?? 0) === 0 || scheme.protocol !== 'tls') return [];
  return [
    problemAt(
      place('warm'),
      'warm does not work with tls://: nobody says when such a connection is ready',
      'remove the line',
    ),
  ];
}
