// Puts another configuration in force, all of it or nothing, and has what counts and judges know of it.

import type { Config } from '../config.ts';
import { openTlsa } from '../net/open-tlsa.ts';
import { readyHooks } from '../ops/hooks/delivery.ts';
import { loadAnchorSets } from './anchor-sets.ts';
import type { Engine, Ground } from './engine.ts';
import { settingsOf } from './facts.ts';
import { lookForRevoked } from './sweeping.ts';

/** Nothing is in force before the proxy has the new routes; nothing can fail after. */
export async function apply(
  config: Config,
  { ground, engine }: { readonly ground: Ground; readonly engine: Engine },
): Promise<void> {
  const anchors = await loadAnchorSets(config.routes, ground.force.anchors);
  const tlsa = await openTlsa(config.resolver, ground.now);
  const { env, now, build } = ground;
  const hooks = await readyHooks(config.hooks, { env, now, version: build.version });
  const tls = await engine.localTls.prepare(config);
  const settings = settingsOf(config.routes);
  ground.incoming = { anchors, tls };
  try {
    await engine.proxy.replace(config.routes);
  } catch (error) {
    await tls.drop();
    throw error;
  } finally {
    ground.incoming = null;
  }
  tls.take();
  ground.force = { config, anchors, tlsa, hooks };
  ground.log.configure(config.log);
  engine.hooks.configure(hooks);
  engine.tofu.configure(settings);
  lookForRevoked(ground, engine.tofu);
  await engine.localTls.look();
  await countRoutes(ground, engine);
}

/** Routes, anchors and hooks have their series from now on. */
export async function countRoutes({ force }: Ground, { metrics }: Engine): Promise<void> {
  await metrics?.configure(
    force.config.routes,
    [...force.anchors.values()].map(({ counts }) => counts),
  );
  await metrics?.configureHooks(force.config.hooks.map(({ name }) => name));
}
