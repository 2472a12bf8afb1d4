// What the next start will do about local certificates, told before it happens: a new CA means that every client
// must import it again. Reads files, changes none.

import { readFile } from 'node:fs/promises';
import { CommandError } from '../errors.ts';
import type { Route } from '../proxy/route.ts';
import { codeOf } from '../store/database.ts';
import { readCertificates } from '../trust/certificate.ts';
import { readAuthority, standingOf, type Authority } from './authority.ts';
import { certificateIn } from './folder.ts';
import type { ServedConfig } from './local-tls.ts';
import { listenEverywhere, localNames, servedLocally } from './names.ts';
import { news, whyReplaced } from './news.ts';
import { loadOwnPair } from './own-certificate.ts';

export interface Advice {
  /** The file it is about; null for the configuration. */
  readonly file: string | null;
  readonly message: string;
  readonly hint: string | null;
}

/** What a person should know before the next start; most often nothing. */
export async function localOutlook(
  config: ServedConfig & { readonly state: string },
  now: number,
): Promise<readonly Advice[]> {
  if (servedLocally(config.routes).length === 0) return [];
  return [...(await authorityAdvice(config, now)), ...unnamed(config)];
}

async function authorityAdvice(
  { state, routes, localCa }: ServedConfig & { readonly state: string },
  now: number,
): Promise<readonly Advice[]> {
  const file = certificateIn(state, 'ca');
  try {
    const authority = await authorityIn(file);
    if (authority === null) return [];
    const standing = standingOf(authority, { names: localNames(routes, localCa.names), now });
    if (standing.state !== 'ended' && standing.state !== 'narrow')
      return news.standing(authority, standing).map(({ message }) => ({ file, message, hint: null }));
    const message = `the next start makes a NEW LOCAL CA: ${whyReplaced(authority, standing)}`;
    return [
      { file, message, hint: 'every client must import it again: letterlock local-ca install --print' },
    ];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const hint = 'check as the user who runs letterlock';
    return [
      {
        file,
        message: `whether clients must import a new local CA cannot be told: it ${error.message}`,
        hint,
      },
    ];
  }
}

/** null where there is none. Throws RangeError in words that follow the file's name. */
async function authorityIn(file: string): Promise<Authority | null> {
  const bytes = await readFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw new RangeError(`cannot be read (${codeOf(error) ?? 'unknown error'})`, { cause: error });
  });
  if (bytes === null) return null;
  const [der] = readCertificates(bytes);
  if (der === undefined) throw new RangeError('holds no certificate');
  return readAuthority(der);
}

/** Who connects from another machine uses a name that nobody told us. */
const unnamed = ({ routes, localCa }: ServedConfig): readonly Advice[] =>
  localCa.names.length > 0
    ? []
    : listenEverywhere(routes).map(({ name }) => ({
        file: null,
        message: `${name} listens on every address, and its certificate names this machine only as localhost`,
        hint: 'add the names by which other machines reach it: localCa: {names: […]}',
      }));

/** Own certificate files that cannot be used, one sentence each: nothing would start with them. */
export async function ownFileProblems(routes: readonly Route[]): Promise<readonly Advice[]> {
  const found = await Promise.all(
    routes.map(async ({ name, clientTls: { mode, files, minVersion } }): Promise<Advice | null> => {
      if (mode === 'off' || files === null) return null;
      try {
        await loadOwnPair(files, minVersion);
        return null;
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        return { file: null, message: `${name}: ${error.message}`, hint: error.hint };
      }
    }),
  );
  return found.filter((problem) => problem !== null);
}
