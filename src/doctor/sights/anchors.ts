// The anchor sets as the daemon would load them.

import { stat } from 'node:fs/promises';
import { AnchorError, loadAnchors, systemBundle } from '../../net/anchors.ts';
import { targetsOf, type Route } from '../../proxy/route.ts';
import type { AnchorSource } from '../checks/anchors.ts';

/** Each distinct list of sources once; `system` alone where no route names one. */
export async function seeAnchors(routes: readonly Route[]): Promise<readonly AnchorSource[]> {
  const lists = new Map(
    routes.flatMap(targetsOf).map(({ anchors }) => [JSON.stringify(anchors), anchors] as const),
  );
  const sources = lists.size === 0 ? [['system']] : [...lists.values()];
  return Promise.all(sources.map(seeSet));
}

async function seeSet(sources: readonly string[]): Promise<AnchorSource> {
  const none = { system: 0, bundled: 0, file: 0 };
  try {
    const { counts } = await loadAnchors(sources);
    return { sources, counts, files: await filesOf(sources, counts.system > 0), error: null };
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    return { sources, counts: none, files: [], error: error.message };
  }
}

/** The system's bundle first. */
async function filesOf(sources: readonly string[], hasBundle: boolean): Promise<AnchorSource['files']> {
  const bundle = hasBundle && sources.includes('system') ? systemBundle() : null;
  const paths = [...(bundle === null ? [] : [bundle]), ...sources.filter((source) => source !== 'system')];
  const found = await Promise.all(
    paths.map(async (path) => {
      const facts = await stat(path).catch(() => null);
      return facts === null ? [] : [{ path, changedAt: facts.mtimeMs }];
    }),
  );
  return found.flat();
}
