// Every caFile must exist and hold certificates when the configuration is checked, not at the first session.
// Read by the same code that a session uses, so that check and run never disagree; it loads where a file is named.

import type { ConfigProblem } from '../config.ts';
import { anchorList } from './build.ts';
import type { Ground } from './ground.ts';
import type { Draft } from './drafts.ts';
import { problemAt } from './problem.ts';
import type { Path } from './problem.ts';

export async function anchorProblems(
  ground: Ground,
  drafts: readonly Draft[],
): Promise<readonly ConfigProblem[]> {
  const { resolver } = ground.raw;
  const written: readonly (readonly [Path, string | readonly string[] | undefined])[] = [
    [['caFile'], ground.raw.caFile],
    [['resolver', 'caFile'], typeof resolver === 'object' ? resolver?.caFile : undefined],
    ...drafts.map((draft) => [['routes', draft.index, 'caFile'], draft.raw.caFile] as const),
  ];
  const checks = written.flatMap(([path, value]) =>
    value === undefined ? [] : anchorList(ground, path, value).map((file) => problemOf(ground, path, file)),
  );
  return (await Promise.all(checks)).filter((problem) => problem !== null);
}

async function problemOf(ground: Ground, path: Path, file: string): Promise<ConfigProblem | null> {
  if (file === 'system') return null;
  const { AnchorError, loadAnchors } = await import('../net/anchors.ts');
  try {
    await loadAnchors([file]);
    return null;
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    return problemAt(ground.layers.locate(path), `caFile: ${error.message}`, error.hint);
  }
}
