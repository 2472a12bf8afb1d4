// Finds the local CA a command is about: that of the state somebody named, of the configuration, or of the
// daemon that answers. It reads the state directory itself, so it works beside a daemon and without one.

import { remoteOperator } from '../src/admin/client.ts';
import { findDaemon } from '../src/admin/find.ts';
import { CommandError } from '../src/errors.ts';
import { describeLocalCa } from '../src/local-ca/description.ts';
import type { LocalCaDescription } from '../src/local-ca/description.ts';
import type { Args } from './args.ts';
import { textOf } from './args.ts';
import type { Io } from './io.ts';
import { lookupOf } from './operator.ts';
import { configFor } from './settings.ts';

/** @throws CommandError `not-found` where there is none, `store` where it cannot be read */
export async function localCaOf(args: Args, io: Io): Promise<LocalCaDescription> {
  const good = await configFor(args, io, { urls: [], needsRoutes: false });
  const { state } = good.config;
  const found = await describedIn(state, io);
  if (found !== null) return found;
  const isNamed = textOf(args, 'state') !== null || textOf(args, 'config') !== null;
  const elsewhere = isNamed ? null : await stateOfDaemon(lookupOf({ args, io }, good));
  const there = elsewhere === null || elsewhere === state ? null : await describedIn(elsewhere, io);
  if (there !== null) return there;
  throw new CommandError('not-found', `there is no local CA in ${elsewhere ?? state}`, {
    code: 'local-ca-missing',
    hint: 'It is made when letterlock first runs with a route that has clientTls: starttls or implicit and no certificate of its own.',
  });
}

async function describedIn(state: string, io: Io): Promise<LocalCaDescription | null> {
  try {
    return await describeLocalCa(state);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 'local-ca-denied') throw error;
    throw deniedError(error, { state, words: io.words });
  }
}

/** The same error with the line that works; `words` are what the user typed after `letterlock`. */
export function deniedError(
  cause: CommandError,
  { state, words }: { readonly state: string; readonly words: readonly string[] },
): CommandError {
  const isNamed = words.some((word) => /^(?:--state|--config|-c)(?:=|$)/.test(word));
  const line = [...words, ...(isNamed ? [] : ['--state', state])].map(quoted).join(' ');
  return new CommandError('store', cause.message, {
    code: cause.code,
    cause,
    hint: `Run: sudo letterlock ${line}`,
  });
}

/** null when no daemon answers, or does not say. */
async function stateOfDaemon(lookup: Parameters<typeof findDaemon>[0]): Promise<string | null> {
  const { path } = await findDaemon(lookup);
  if (path === null) return null;
  try {
    return (await remoteOperator(path).status()).stateDirectory;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return null;
  }
}

/** For a POSIX shell. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
