// Passwords of proxies that stand in files of their own. They are read when the configuration is, and anew with
// every reload.

import type { ConfigProblem } from '../config.ts';
import type { Via } from '../proxy/route.ts';
import type { Draft } from './drafts.ts';
import { absolutePath } from './ground.ts';
import type { Ground } from './ground.ts';
import { problemAt } from './problem.ts';
import type { Findings } from './problem.ts';
import { loginFault } from './proxy-url.ts';
import { readSmallFile } from './small-file.ts';

/** By index of the route: its proxy with the password of the file. */
export type ViasFromFiles = ReadonlyMap<number, Via>;

interface Found extends Findings {
  readonly via: Via | null;
}

export async function readPasswordFiles(
  ground: Ground,
  drafts: readonly Draft[],
): Promise<Findings & { readonly vias: ViasFromFiles }> {
  const found = await Promise.all(
    drafts.map(async (draft) => [draft.index, await passwordOf(ground, draft)] as const),
  );
  return {
    vias: new Map(found.flatMap(([index, { via }]) => (via === null ? [] : [[index, via] as const]))),
    problems: found.flatMap(([, { problems }]) => problems),
    warnings: found.flatMap(([, { warnings }]) => warnings),
  };
}

async function passwordOf(ground: Ground, { index, raw, via, place }: Draft): Promise<Found> {
  const written = typeof raw.proxy === 'object' ? raw.proxy.passwordFile : undefined;
  if (written === undefined || via === null || via.login === null)
    return { via: null, problems: [], warnings: [] };
  const path = absolutePath(ground, ['routes', index, 'proxy', 'passwordFile'], written);
  const report = (message: string, hint: string): ConfigProblem =>
    problemAt(place('proxy', 'passwordFile'), message, hint);
  const file = await readSmallFile(path);
  if (typeof file === 'string') {
    const problem = report(
      `passwordFile: cannot read ${path} (${file})`,
      'check the path and its permissions',
    );
    return { via: null, problems: [problem], warnings: [] };
  }
  const warnings = file.openToAll
    ? [report(`passwordFile: every user of this machine can read ${path}`, `chmod 600 ${path}`)]
    : [];
  const full = { ...via, login: { user: via.login.user, password: file.text.replace(/\r?\n$/, '') } };
  const fault = full.login.password === '' ? 'the file is empty' : loginFault(full);
  if (fault === null) return { via: full, problems: [], warnings };
  const hint = 'write the password and nothing else into the file, on one line';
  return { via: null, problems: [report(`passwordFile: ${fault}`, hint)], warnings };
}
