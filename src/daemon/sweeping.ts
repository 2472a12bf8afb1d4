// What a daemon does every minute: ends of pins are noticed, sightings written down, revocation lists read again.

import type { Tofu } from '../tofu.ts';
import { CrlWatch } from './crl-watch.ts';
import type { Engine, Ground } from './engine.ts';

const sweepEveryMs = 60_000;

/** Looks once, and from now on by the clock until the daemon closes. */
export async function startSweeping(ground: Ground, { tofu, on }: Engine): Promise<void> {
  const crls = new CrlWatch(on);
  const look = async (): Promise<void> => {
    if (await crls.look(ground.force.anchors, ground.now())) lookForRevoked(ground, tofu);
  };
  await look();
  const timer = setInterval(() => {
    void look();
    tofu.sweep().catch(() =>
      ground.log.write('error', {
        event: 'sweep-failed',
        message: 'the pin store could not be tidied',
      }),
    );
  }, sweepEveryMs);
  timer.unref();
  ground.closing.add(() => clearInterval(timer));
}

/** Sessions on a certificate that was taken back end now, not with the client. */
export function lookForRevoked({ force }: Ground, tofu: Tofu): void {
  const sets = new Map([...force.anchors].map(([{ endpoint }, set]) => [endpoint.name, set] as const));
  tofu.revocationsChanged((endpoint) => sets.get(endpoint) ?? null);
}
