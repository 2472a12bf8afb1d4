// How a notice gets to where a hook points: made once for each hook from its settings and what they name.

import { AnchorError, loadAnchors, type AnchorSet } from '../../net/anchors.ts';
import { inheritable } from './descriptors.ts';
import { passedEnvironment, runProgram } from './exec.ts';
import type { ExecHook, Hook, WebhookHook } from './hook.ts';
import { eventEnvironment, type Payload } from './payload.ts';
import { webhookDelivery } from './webhook.ts';

export interface Delivered {
  readonly result: 'delivered' | 'failed';
  readonly attempts: number;
  /** Why it failed, in our words; null when it did not. */
  readonly detail: string | null;
  /** The receiver wants nothing more. */
  readonly gone?: true;
  /** What a program wrote, unescaped. */
  readonly output?: string;
}

/** Never rejects; ends soon after `signal` aborts. Nothing outlives an abort of `dying`. */
export type Deliver = (payload: Payload, signal: AbortSignal, dying?: AbortSignal) => Promise<Delivered>;

export interface DeliveryParts {
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  readonly version: string;
}

/** A hook whose files were read. */
export interface ReadyHook {
  readonly hook: Hook;
  readonly deliver: Deliver;
}

/** @throws AnchorError when a CA file cannot be used */
export async function readyHooks(
  hooks: readonly Hook[],
  parts: DeliveryParts,
): Promise<readonly ReadyHook[]> {
  return Promise.all(hooks.map(async (hook) => ({ hook, deliver: await deliveryOf(hook, parts) })));
}

async function deliveryOf(hook: Hook, parts: DeliveryParts): Promise<Deliver> {
  switch (hook.kind) {
    case 'exec':
      return execDelivery(hook, parts);
    case 'webhook':
      return webhookDelivery(hook, await receiverOf(hook), parts);
  }
}

async function receiverOf(hook: WebhookHook): Promise<{
  readonly url: WebhookHook['url'];
  readonly anchors: AnchorSet;
  readonly named: boolean;
  readonly pins: readonly string[];
}> {
  const { url, pins, name } = hook;
  try {
    const anchors = await loadAnchors(url.scheme === 'http' ? [] : (hook.anchors ?? []));
    return { url, anchors, named: hook.anchors !== null, pins };
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    throw new AnchorError(`hook ${name}: ${error.message}`, {
      cause: error,
      ...(error.hint === null ? {} : { hint: error.hint }),
    });
  }
}

function execDelivery({ argv, timeoutMs }: ExecHook, { env }: DeliveryParts): Deliver {
  // What is inherited is opened when the process begins; looked for once, and not while the store is being opened.
  let hidden: Promise<readonly number[]> | null = null;
  return async (payload, signal, dying) => {
    hidden ??= inheritable();
    const { ok, detail, output } = await runProgram({
      argv,
      env: { ...passedEnvironment(env), ...eventEnvironment(payload) },
      input: `${JSON.stringify(payload)}\n`,
      timeoutMs,
      signal,
      ...(dying === undefined ? {} : { dying }),
      hidden: await hidden,
    });
    return { result: ok ? 'delivered' : 'failed', attempts: 1, detail, output };
  };
}
