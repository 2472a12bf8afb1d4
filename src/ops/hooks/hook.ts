// A hook as configured, checked and canonical. Its secrets are in here: nothing that prints a configuration may print
// this as it is (see shownHook in src/config/hooks.ts).

import type { HookClass } from './classes.ts';

interface HookBase {
  /** Unique; a label of metrics. */
  readonly name: string;
  readonly on: readonly HookClass[];
  /** For a run of a program, or one attempt to reach a receiver. */
  readonly timeoutMs: number;
  /** The same thing is told again after so long at the earliest. */
  readonly repeatMs: number;
}

export interface ExecHook extends HookBase {
  readonly kind: 'exec';
  /** Absolute path of the program, then its arguments; no shell reads them. */
  readonly argv: readonly [string, ...string[]];
}

export interface WebhookHook extends HookBase {
  readonly kind: 'webhook';
  readonly url: WebhookUrl;
  /** `whsec_BASE64`. */
  readonly secret: string;
  /** `system` or PEM files; null where pins alone say who the receiver is. */
  readonly anchors: readonly string[] | null;
  readonly pins: readonly string[];
  /** Attempts after the first. */
  readonly retries: number;
}

export interface WebhookUrl {
  /** `http` to this machine only. */
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  /** With the query; often as good as a password. */
  readonly path: string;
}

export type Hook = ExecHook | WebhookHook;
