// What `inspect` connects to: a URL, or HOST:PORT with the protocol its port stands for. The result is a route
// like any other, so that inspect sees exactly what a session would.

import { resolve } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import { bracketed, parseEndpoint } from '../src/endpoint.ts';
import type { Config } from '../src/config.ts';
import { parseProxy } from '../src/config/proxy-url.ts';
import { schemes } from '../src/mail/protocol.ts';
import { targetsOf, type Route, type Target } from '../src/proxy/route.ts';
import { addressOf, asUsage, requiredText, textOf, usage } from './args.ts';
import type { Args } from './args.ts';
import { thisHome } from '../src/config/paths.ts';
import type { Io } from './io.ts';

/** The route to inspect; settings of a configured endpoint are taken from its own route. @throws CommandError usage */
export async function routeToInspect(args: Args, io: Io, config: Config): Promise<Route> {
  const proxy = textOf(args, 'proxy');
  if (proxy !== null) asUsage(() => parseProxy(proxy));
  const route = await plainRoute(urlOf(requiredText(args, 'target')), proxy, io);
  const known = knownAs(route, config);
  const address = addressOf(args, route.endpoint.port);
  const caFile = textOf(args, 'ca-file');
  return {
    ...route,
    addresses: address === null ? (known?.target.addresses ?? route.addresses) : [address],
    via: proxy === null ? (known?.route.via ?? route.via) : route.via,
    minVersion: known?.route.minVersion ?? route.minVersion,
    legacyServer: known?.route.legacyServer ?? route.legacyServer,
    trust: known?.target.trust ?? route.trust,
    limits: known?.route.limits ?? route.limits,
    crlFiles: known?.target.crlFiles ?? [],
    anchors:
      caFile === null
        ? (known?.target.anchors ?? route.anchors)
        : caFile.split(',').map((source) => (source === 'system' ? source : resolve(io.cwd, source))),
  };
}

/** The first route that leads there, and the server of it that is meant. */
function knownAs(
  { endpoint }: Route,
  { routes }: Config,
): { readonly route: Route; readonly target: Target } | null {
  for (const route of routes) {
    const target = targetsOf(route).find((one) => one.endpoint.name === endpoint.name);
    if (target !== undefined) return { route, target };
  }
  return null;
}

/** STARTTLS for the ports that begin in clear, TLS at once for the others. */
export function urlOf(target: string): string {
  if (target.includes('://')) return target;
  const { host, port } = asUsage(() => parseEndpoint(target));
  const scheme = schemes.find((row) => row.port === port)?.scheme ?? (port === 25 ? 'submission' : 'tls');
  return `${scheme}://${bracketed(host)}:${port}`;
}

/** Environment and files play no part here: only the URL and the defaults do. */
async function plainRoute(url: string, proxy: string | null, io: Io): Promise<Route> {
  const home = thisHome(io.env);
  const loaded = await loadConfig({
    file: null,
    routes: [`0=${url}`],
    ...(proxy === null ? {} : { proxy }),
    flags: { 'admin.socket': { flag: '--socket', text: '/nowhere' } },
    home: { ...home, env: {} },
    cwd: io.cwd,
    needsRoutes: true,
  });
  if (!loaded.ok) {
    const [problem] = loaded.problems;
    throw usage(
      (problem?.message ?? '').replace(/^routes\[0\]\.upstream: /, ''),
      problem?.suggestion ?? undefined,
    );
  }
  const [route] = loaded.config.routes;
  if (route === undefined) throw usage(`${url} is not a URL`);
  return route;
}
