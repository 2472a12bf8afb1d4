// The leaf of the local CA that is shown now, as one TLS context for each oldest version asked for. It holds
// what was made ready and knows when that is due; it makes nothing itself.

import type { SecureContext } from 'node:tls';
import type { ServerCredentials } from '../net/local-handshake.ts';
import type { ClientTlsVersion } from '../proxy/route.ts';
import type { Authority } from './authority.ts';
import { contextOf, isLegacy } from './context.ts';
import { isDue, type Ready } from './ready.ts';

type Contexts = ReadonlyMap<ClientTlsVersion, SecureContext>;

type Shown = Pick<Ready, 'leaves' | 'authority'>;
/** What was made beside them is not held: it may be the key of a CA. */
const shownOf = ({ leaves, authority }: Ready): Shown => ({ leaves, authority });

export class LocalLeaf {
  readonly #versions: readonly ClientTlsVersion[];
  #ready: Shown;
  #contexts: Contexts;

  constructor(ready: Ready, versions: readonly ClientTlsVersion[]) {
    this.#versions = [...new Set(versions)];
    this.#ready = shownOf(ready);
    this.#contexts = contextsOf(ready, this.#versions);
  }

  /** Shown from now on; handshakes that began go on with what they have. */
  replace(ready: Ready): void {
    this.#contexts = contextsOf(ready, this.#versions);
    this.#ready = shownOf(ready);
  }

  isDue(now: number): boolean {
    const { leaves, authority } = this.#ready;
    const isOver = now >= authority.notAfter;
    return isOver || leaves.some((leaf) => isDue(leaf, { authorityEnds: authority.notAfter, now }));
  }

  /** The CA it is of. */
  get authority(): Authority {
    return this.#ready.authority;
  }

  /** `asked` hears of each handshake. */
  credentials(minVersion: ClientTlsVersion, asked: () => void): ServerCredentials {
    return {
      context: () => {
        asked();
        const context = this.#contexts.get(minVersion);
        if (context === undefined) throw new TypeError(`no context was made for ${minVersion}`);
        return context;
      },
    };
  }
}

/** An RSA leaf is for old clients only; the others all know elliptic curves. */
function contextsOf({ leaves }: Shown, versions: readonly ClientTlsVersion[]): Contexts {
  return new Map(
    versions.map((version) => [version, contextOf(isLegacy(version) ? leaves : leaves.slice(0, 1), version)]),
  );
}
