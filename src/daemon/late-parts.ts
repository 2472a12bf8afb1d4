// Parts of the program that a start does without, loaded some seconds after it, one at a time: when they are needed there may
// be no descriptors left, or files of another version in their place. It must not load where descriptors are short: Node 20
// keeps for ever that a module could not be read. It keeps no process alive, and a part that fails is told by who needs it.

import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { apiParts } from '../admin/api.ts';
import { loadTrial } from '../net/own-reads.ts';
import { guestPart } from '../sharing/upgrade.ts';

/** What orders, guests and long sessions need. */
const ownParts: readonly (() => Promise<unknown>)[] = [...Object.values(apiParts), guestPart, loadTrial];

export interface LatePartsOptions {
  readonly parts?: readonly (() => Promise<unknown>)[];
  readonly areSpare?: () => boolean;
  /** Until the first. */
  readonly afterMs?: number;
  /** Until the next. */
  readonly betweenMs?: number;
  /** Until the next look, where descriptors are short. */
  readonly againMs?: number;
}

/** Begins to wait; what it returns ends that. */
export function loadLateParts(options: LatePartsOptions = {}): () => void {
  const { parts = ownParts, areSpare = areDescriptorsSpare } = options;
  const { afterMs = 3000, betweenMs = 100, againMs = 10_000 } = options;
  const waiting = [...parts];
  let timer: NodeJS.Timeout | null = null;
  let isOver = false;
  const wait = (ms: number): void => {
    if (!isOver && waiting.length > 0) timer = setTimeout(() => void next(), ms).unref();
  };
  const next = async (): Promise<void> => {
    if (!areSpare()) return wait(againMs);
    await waiting
      .shift()?.()
      .catch(() => undefined);
    wait(betweenMs);
  };
  wait(afterMs);
  return () => {
    isOver = true;
    if (timer !== null) clearTimeout(timer);
  };
}

/** More than a part has files. */
const needed = 32;

function areDescriptorsSpare(): boolean {
  const open: number[] = [];
  try {
    while (open.length < needed) open.push(openSync(devNull, 'r'));
    return true;
  } catch {
    return false;
  } finally {
    for (const one of open) closeSync(one);
  }
}
