// Revocation lists from files: read whole when they are opened, read again when a file changes. A file that cannot
// be read any more never takes back what it said: the lists read last stay in force, and the problem is told.

import { readFile, stat } from 'node:fs/promises';
import { LetterlockError } from '../errors.ts';
import { AnchorIndex } from '../trust/anchor-index.ts';
import { type Crl, readCrls } from '../trust/crl.ts';
import { escapeText } from '../trust/escape.ts';
import type { AnchorSet } from './anchors.ts';

/** A revocation list that cannot be used; code `crl`. */
export class CrlError extends LetterlockError {
  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super('crl', message, options);
  }
}

/** More than the largest list that a public CA ever had. */
const maxBytes = 134_217_728;

interface Loaded {
  readonly path: string;
  /** Size and time of the file as it was read. */
  readonly mark: string;
  readonly lists: readonly Crl[];
}

const listsOf = (loaded: readonly Loaded[]): readonly Crl[] => loaded.flatMap(({ lists }) => lists);

/** What a look at the files found. */
export interface CrlLook {
  /** Lists in force are others now. */
  readonly changed: boolean;
  /** For people: what cannot be read, what is stale. */
  readonly problems: readonly string[];
}

export class CrlFiles {
  readonly #anchors: AnchorIndex;
  #loaded: readonly Loaded[];
  /** The same array as long as the lists are the same. */
  #lists: readonly Crl[];

  private constructor(loaded: readonly Loaded[], anchors: AnchorIndex) {
    this.#loaded = loaded;
    this.#lists = listsOf(loaded);
    this.#anchors = anchors;
  }

  /** @throws CrlError when a file cannot be read, or an anchor of the list's issuer did not sign it */
  static async open(paths: readonly string[], anchors: Pick<AnchorSet, 'certificates'>): Promise<CrlFiles> {
    const index = new AnchorIndex(anchors.certificates);
    return new CrlFiles(await Promise.all(paths.map((path) => load(path, index))), index);
  }

  get lists(): readonly Crl[] {
    return this.#lists;
  }

  /** Reads again what changed. Never rejects. */
  async look(now: number): Promise<CrlLook> {
    const before = this.#loaded;
    const lost: string[] = [];
    const loaded = await Promise.all(
      before.map(async (known) => {
        try {
          return (await markOf(known.path)) === known.mark ? known : await load(known.path, this.#anchors);
        } catch (error) {
          lost.push(`${messageOf(error)}; the lists read before stay in force`);
          return known;
        }
      }),
    );
    this.#loaded = loaded;
    const changed = loaded.some((file, at) => file !== before[at]);
    if (changed) this.#lists = listsOf(loaded);
    return { changed, problems: [...lost, ...this.stale(now)] };
  }

  /** A sentence for each list that a newer one is due for, or that is of a time to come. */
  stale(now: number): readonly string[] {
    return this.#loaded.flatMap(({ path, lists }) =>
      lists
        .filter((list) => list.isStale(now) || list.content.thisUpdate > now)
        .map(({ content }) => {
          const issuer = escapeText(content.issuer.text).slice(0, 120);
          return content.thisUpdate > now
            ? `the revocation list of ${issuer} in ${path} is dated ${dayOf(content.thisUpdate)}, which is still to come; what it revokes counts`
            : `the revocation list of ${issuer} in ${path} ended on ${dayOf(content.nextUpdate ?? now)}; what it revokes still counts, but newer revocations are not known: fetch a new one`;
        }),
    );
  }
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

const messageOf = (error: unknown): string =>
  error instanceof CrlError ? error.message : 'a revocation list cannot be read';

async function load(path: string, anchors: AnchorIndex): Promise<Loaded> {
  const mark = await markOf(path);
  const lists = parsed(path, await bytesOf(path));
  const stranger = lists.find((list) => isForeign(list, anchors));
  if (stranger !== undefined) {
    throw new CrlError(`the revocation list in ${path} is not signed by the CA it names`, {
      hint: `The trust anchors hold ${escapeText(stranger.content.issuer.text)} with another key. Fetch the list again.`,
    });
  }
  return { path, mark, lists };
}

/** Its issuer is an anchor here, and no anchor of that name signed it: it would silently revoke nothing. */
function isForeign(list: Crl, anchors: AnchorIndex): boolean {
  const issuers = anchors.named(list.content.issuer.key);
  return issuers.length > 0 && !issuers.some((issuer) => list.isOf(issuer));
}

async function markOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino, mode } = await stat(path);
    // Asked before anything is opened: opening a pipe that nobody writes to never ends.
    if ((mode & 0o170000) !== 0o100000) throw new CrlError(`${path} is not a regular file`);
    if (size > maxBytes) throw new CrlError(`${path} is larger than ${maxBytes} bytes`);
    return `${size}/${mtimeMs}/${ino}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function parsed(path: string, bytes: Uint8Array): readonly Crl[] {
  try {
    return readCrls(bytes);
  } catch (cause) {
    throw new CrlError(`${path}: ${cause instanceof Error ? cause.message : 'unreadable'}`, {
      cause,
      hint: 'A list is PEM text with BEGIN X509 CRL lines, or DER: openssl crl -in FILE -noout -text shows it.',
    });
  }
}

function unreadable(path: string, error: unknown): CrlError {
  if (error instanceof CrlError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return new CrlError(`cannot read the revocation list ${path} (${code})`, {
    cause: error,
    hint: 'Check that it exists and may be read.',
  });
}
