// Every crlFile must exist, be a revocation list, and be signed by its CA where that is a trust anchor, when the
// configuration is checked: a list that cannot be used revokes nothing, and nobody would notice. What reads them loads
// where one is named.

import type { ConfigProblem } from '../config.ts';
import type { AnchorSet } from '../net/anchors.ts';
import { targetsOf, type Route, type Target } from '../proxy/route.ts';
import type { Drafts } from './drafts.ts';
import type { Ground } from './ground.ts';
import { giverOf } from './neighbours.ts';
import { problemAt } from './problem.ts';
import type { Path } from './problem.ts';

export async function crlProblems(
  ground: Ground,
  drafts: Drafts,
  routes: readonly Route[],
): Promise<readonly ConfigProblem[]> {
  const targets = new Map<string, Target>();
  for (const target of routes.flatMap(targetsOf)) {
    if ((target.crlFiles ?? []).length === 0) continue;
    const key = JSON.stringify([target.anchors, target.crlFiles]);
    if (!targets.has(key)) targets.set(key, target);
  }
  const problems = await Promise.all(
    [...targets.values()].map((target) => problemsOf(ground, target, pathOf(target, drafts))),
  );
  return problems.flat();
}

const pathOf = ({ endpoint }: Target, drafts: Drafts): Path => {
  const giver = giverOf('crlFile', endpoint, drafts);
  return giver === null ? ['crlFile'] : ['routes', giver.index, 'crlFile'];
};

async function problemsOf(
  ground: Ground,
  { anchors, crlFiles = [] }: Target,
  path: Path,
): Promise<readonly ConfigProblem[]> {
  const { CrlError, CrlFiles } = await import('../net/crl-files.ts');
  const set = await anchorsOf(anchors);
  const found = await Promise.all(
    crlFiles.map(async (file) => {
      try {
        await CrlFiles.open([file], set);
        return null;
      } catch (error) {
        if (!(error instanceof CrlError)) throw error;
        return problemAt(ground.layers.locate(path), `crlFile: ${error.message}`, error.hint);
      }
    }),
  );
  return found.filter((problem) => problem !== null);
}

/** Anchors that cannot be read are a problem already, told elsewhere. */
async function anchorsOf(sources: readonly string[]): Promise<Pick<AnchorSet, 'certificates'>> {
  const { AnchorError, loadAnchors } = await import('../net/anchors.ts');
  try {
    return await loadAnchors(sources);
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    return { certificates: [] };
  }
}
