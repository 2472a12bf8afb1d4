// What a person decides through a program, as the command an operator would type. A word that means nothing is an
// error: `endold` for `endOld` would leave the old key trusted.

import { parseEndpoint } from '../endpoint.ts';
import type { Command } from '../trust/command.ts';
import { checkNames } from './options.ts';

export interface ApproveOptions {
  /** Full SHA-256 fingerprint of the key or its certificate, as the operator of the server gave it. */
  readonly expect: string;
  /** `ca`: the server has moved to a CA, which decides from now on. */
  readonly as?: 'ca' | 'pin';
  /** Milliseconds; without it there is no end, or the default one of an exception beside a CA. */
  readonly forMs?: number;
  /** The keys known before go on to count as they did, in place of 7 days more. */
  readonly keep?: boolean;
  /** The keys known before end now. */
  readonly endOld?: boolean;
  /** Also when it was rejected here. */
  readonly unreject?: boolean;
}

export interface RejectOptions {
  /** Full SHA-256 fingerprint of the key or its certificate. */
  readonly expect: string;
}

export interface AddOptions {
  /** The key, `sha256//BASE64=`. */
  readonly pin: string;
  /** Milliseconds; without it there is no end. */
  readonly forMs?: number;
  /** Also when it was rejected here. */
  readonly unreject?: boolean;
}

export interface ForgetOptions {
  /** Full fingerprint of a key that is known of the endpoint. */
  readonly expect?: string;
  /** In its place: whatever is known. */
  readonly yes?: boolean;
}

/** @throws RangeError for no endpoint, or a name that means nothing */
export function approveOrder(endpoint: string, options: ApproveOptions): Command {
  checkNames(options, ['expect', 'as', 'forMs', 'keep', 'endOld', 'unreject'], 'approve');
  const { expect, as = null, forMs = null, keep = false, endOld = false, unreject = false } = options;
  return { command: 'approve', endpoint: nameOf(endpoint), expect, as, forMs, keep, endOld, unreject };
}

/** @throws RangeError for no endpoint, or a name that means nothing */
export function rejectOrder(endpoint: string, options: RejectOptions): Command {
  checkNames(options, ['expect'], 'reject');
  return { command: 'reject', endpoint: nameOf(endpoint), expect: options.expect };
}

/** @throws RangeError for no endpoint, or a name that means nothing */
export function addOrder(endpoint: string, options: AddOptions): Command {
  checkNames(options, ['pin', 'forMs', 'unreject'], 'add');
  const { pin, forMs = null, unreject = false } = options;
  return { command: 'add', endpoint: nameOf(endpoint), pin, forMs, unreject };
}

/** @throws RangeError for no endpoint, or a name that means nothing */
export function forgetOrder(endpoint: string, options: ForgetOptions): Command {
  checkNames(options, ['expect', 'yes'], 'forget');
  const { expect = null, yes = false } = options;
  return { command: 'forget', endpoint: nameOf(endpoint), expect, yes };
}

/** @throws RangeError for no endpoint */
export const undoOrder = (endpoint: string): Command => ({ command: 'undo', endpoint: nameOf(endpoint) });

const nameOf = (endpoint: string): string => parseEndpoint(endpoint).name;
