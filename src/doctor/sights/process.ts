// What the system says of a process: how many files it may open, what it leaves when it crashes, and whose it is.

import { stat } from 'node:fs/promises';
import type { NodeFacts } from '../checks/node.ts';
import { textOf } from './files.ts';

/** Of a process by its number, or of this one. Node raises its own to the hard limit when it starts. */
export async function seeFileLimit(pid: number | 'self'): Promise<number | null> {
  return fileLimitIn(await textOf(`/proc/${pid}/limits`));
}

export const fileLimitIn = (limits: string): number | null => softLimitIn(limits, 'Max open files');

/** Of a process by its number, or of this one; 0: none. */
export async function seeCoreLimit(pid: number | 'self'): Promise<number | null> {
  return softLimitIn(await textOf(`/proc/${pid}/limits`), 'Max core file size');
}

function softLimitIn(limits: string, name: string): number | null {
  const line = limits.split('\n').find((each) => each.startsWith(name)) ?? '';
  const [, soft] = /^\s+(\d+|unlimited)\s/.exec(line.slice(name.length)) ?? [];
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
