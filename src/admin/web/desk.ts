// All that a request at the door is answered from; types only. receive.ts says in what order.

import type { IncomingMessage } from 'node:http';
import type { Operator } from '../operator.ts';
import type { Rejection } from '../rejection.ts';
import type { Assets } from './assets.ts';
import type { Crowd } from '../../net/crowd.ts';
import type { Failures } from './failures.ts';
import type { Grants, Scope } from './grants.ts';

export interface Desk {
  readonly assets: Assets | null;
  readonly operator: Operator;
  readonly grants: Grants;
  readonly failures: Failures;
  readonly crowd: Crowd;
  /** See `ownHosts`. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** Whose program is at the other end; null when nothing tells. */
  readonly uidOf: (request: IncomingMessage) => Promise<number | null>;
  /** Each request is told to one of these two, once. */
  readonly served: (route: string, status: number) => void;
  readonly rejected: (reason: Rejection) => void;
  /** A code was exchanged. */
  readonly opened: (scope: Scope, expiresAt: number) => void;
}
