// The page as the daemon serves it, where the configuration says so, and the addresses that open it.

import type { Operator } from '../admin/operator.ts';
import { builtPage, loadAssets } from '../admin/web/assets.ts';
import { openDoor } from '../admin/web/door.ts';
import type { WebDoor } from '../admin/web/door.ts';
import { CommandError } from '../errors.ts';
import type { Engine, Ground } from './engine.ts';

/** null where the configuration asks for none. @throws CommandError `network` when the address cannot be had */
export async function openDashboard(
  { force, now, closing }: Ground,
  { engine, operator }: { readonly engine: Engine; readonly operator: Operator },
): Promise<WebDoor | null> {
  const { listen } = force.config.admin;
  if (listen === null) return null;
  const { metrics, on } = engine;
  const assets = await loadAssets(builtPage);
  if (assets === null) on({ type: 'warning', code: 'page-not-built', message: notBuilt });
  const door = await openDoor({
    listen,
    assets,
    operator,
    now,
    served: (route, status) => metrics?.adminServed(route, status),
    rejected: (reason) => metrics?.adminRejected(reason),
    opened: (scope, until) => on({ type: 'dashboard-opened', scope, until }),
  });
  closing.add(() => door.close());
  return door;
}

const notBuilt = 'admin.listen is set, but the page was not built into this letterlock: npm run build';

/** Who makes addresses that open the page: the socket, whose mode says who may, and never the page itself. */
export const linkMaker =
  (door: () => WebDoor | null): Operator['dashboard'] =>
  async (wanted) => {
    const link = door()?.link(wanted) ?? null;
    if (link !== null) return link;
    throw new CommandError('not-found', 'this daemon serves no page by itself', {
      code: 'no-dashboard',
      hint: 'letterlock dashboard serves it; or set admin: {listen: 127.0.0.1:9466} and restart letterlock.',
    });
  };

/** The answer to an order for an address that came from the page. */
export const notFromPage: Operator['dashboard'] = () =>
  Promise.reject(
    new CommandError('not-found', 'the page makes no addresses that open it', { code: 'no-dashboard' }),
  );
