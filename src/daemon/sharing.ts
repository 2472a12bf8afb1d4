// What a daemon gives of its pins to other processes of its user: everything, over the socket beside them, and
// over the admin socket where nobody else may open that. A group that may order through the admin API may not
// write records past the rules of the engine, nor read the secret.

import type { Config } from '../config.ts';
import { openFront } from '../sharing/front.ts';
import type { Sharing } from '../sharing/holder.ts';
import { Reception } from '../sharing/upgrade.ts';
import { pathsIn } from '../store/directory.ts';
import type { Closing } from './closing.ts';
import type { Engine } from './engine.ts';

/** `admin` receives guests of the admin socket; it is closed with that. Never rejects. */
export async function sharePins(
  engine: Engine,
  { config, closing }: { readonly config: Config; readonly closing: Closing },
): Promise<{ readonly admin: Reception }> {
  const sharing = sharingOf(engine);
  const isOwnersAlone = (config.admin.socket.mode & 0o077) === 0;
  try {
    const front = await openFront(pathsIn(config.state).socket, sharing, { refs: 'ref' });
    closing.add(() => front.close());
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    engine.on({
      type: 'warning',
      code: 'pins-not-shared',
      message: `other processes cannot share the pins: ${why}`,
    });
  }
  return { admin: new Reception(() => (isOwnersAlone ? sharing : null), { refs: 'ref' }) };
}

const sharingOf = ({ store, on }: Engine): Sharing => ({
  store,
  secret: store.secret,
  committed(audit) {
    for (const { endpoint, event, origin, spki, detail } of audit)
      on({ type: 'pin-changed', endpoint, event, origin, spki, detail });
  },
  giveWay: null,
});
