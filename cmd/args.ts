// Reads what yargs parsed. Numbers and durations are read here from their text, never by yargs, which makes NaN
// of what it cannot read and says nothing. An option given twice is an error: the last one must not win silently.

import { parseAddress } from '../src/config/upstream.ts';
import type { Address } from '../src/config/upstream.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { CommandError } from '../src/errors.ts';

export type Args = Readonly<Record<string, unknown>>;

/** The text of an option or positional; null when it was not given. @throws CommandError usage */
export function textOf(args: Args, name: string): string | null {
  const value = args[name];
  if (value === undefined) return null;
  if (Array.isArray(value)) throw usage(`--${name} was given more than once`, 'give it once');
  if (typeof value !== 'string' || value === '') throw usage(`${name} needs a value`);
  return value;
}

/** A positional that yargs demanded. */
export function requiredText(args: Args, name: string): string {
  const text = textOf(args, name);
  if (text === null) throw usage(`${name} is missing`);
  return text;
}

export const isSet = (args: Args, name: string): boolean => args[name] === true;

export const textsOf = (args: Args, name: string): readonly string[] =>
  [args[name] ?? []].flat().filter((value) => typeof value === 'string');

/** The canonical name of the endpoint written. @throws CommandError usage */
export const endpointNameOf = (args: Args): string =>
  asUsage(() => parseEndpoint(requiredText(args, 'endpoint')).name);

export function addressOf(args: Args, defaultPort: number): Address | null {
  const text = textOf(args, 'address');
  return text === null ? null : asUsage(() => parseAddress(text, defaultPort));
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `30m`, `12h`, `7d` or `2w`, in milliseconds; null when it was not given. @throws CommandError usage */
export function durationOf(args: Args, name: string): number | null {
  const text = textOf(args, name);
  if (text === null) return null;
  const parts = /^([1-9]\d{0,5})([mhdw])$/.exec(text);
  const length = Number(parts?.[1]) * (unitMs[parts?.[2] ?? ''] ?? Number.NaN);
  if (parts === null || length > 3650 * 86_400_000) {
    throw usage(`--${name} ${text} is not a duration`, 'write 30m, 12h, 7d or 2w; at most 3650d');
  }
  return length;
}

/** Runs a reader of user text; what it finds wrong is a usage error. */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const suggestion =
      'suggestion' in error && typeof error.suggestion === 'string' ? error.suggestion : undefined;
    throw usage(error.message, suggestion);
  }
}

export const usage = (message: string, hint?: string): CommandError =>
  new CommandError('usage', message, hint === undefined ? {} : { hint });
