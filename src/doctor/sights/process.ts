// What the system says of a process: how many files it may open, and whose it is.

import { stat } from 'node:fs/promises';
import type { NodeFacts } from '../checks/node.ts';
import { textOf } from './files.ts';

/** Of a process by its number, or of this one. Node raises its own to the hard limit when it starts. */
export async function seeFileLimit(pid: number | 'self'): Promise<number | null> {
  return fileLimitIn(await textOf(`/proc/${pid}/limits`));
}

export function fileLimitIn(limits: string): number | null {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits) ?? [];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

export async function seeUid(pid: number): Promise<number | null> {
  const facts = await stat(`/proc/${pid}`).catch(() => null);
  return facts?.uid ?? null;
}

export function seeNode(now: number): NodeFacts {
  const { node, openssl } = process.versions;
  const variables: Readonly<Record<string, unknown>> = { ...process.config.variables };
  return { node, openssl, sharedOpenssl: variables['node_shared_openssl'] === true, now };
}
