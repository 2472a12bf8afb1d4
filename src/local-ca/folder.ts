// The folder `local-ca` in the state directory, and how a pair of files is written so that a crash leaves the
// old pair or the new: both are written beside their places, then the key is put in place, then the certificate.
// It never mends by guessing: two files that do not belong together are told, and stay.

import { readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf } from '../store/database.ts';
import { checkEntry, found, makeDirectory } from '../store/directory.ts';
import { diskIo, replaceFile, type StoreIo } from '../store/io.ts';
import { StoreError } from '../store/store-error.ts';
import { readPair, UnusablePair, type Pair, type PairText } from './pair.ts';

/** The CA, the leaf, and the leaf for clients that know RSA only; `NAME.crt` and `NAME.key` each. */
export type PairName = 'ca' | 'leaf' | 'leaf-rsa';

export interface Write {
  readonly name: PairName;
  readonly text: PairText;
}

export type Reading =
  | { readonly state: 'none' }
  | { readonly state: 'good'; readonly pair: Pair }
  /** One of the two is missing, or cannot be used, or they do not belong together. */
  | { readonly state: 'torn'; readonly file: string; readonly why: string };

const extensions = { certificate: 'crt', key: 'key' } as const;
const parts = ['certificate', 'key'] as const;

export const folderIn = (state: string): string => join(state, 'local-ca');
export const certificateIn = (state: string, name: PairName): string =>
  join(folderIn(state), `${name}.${extensions.certificate}`);

export class Folder {
  readonly path: string;
  readonly #io: StoreIo;

  constructor(state: string, io: StoreIo = diskIo) {
    this.path = folderIn(state);
    this.#io = io;
  }

  file(name: string, part: keyof PairText): string {
    return join(this.path, `${name}.${extensions[part]}`);
  }

  /** Throws StoreError `store-permissions` unless folder and files are ours alone. */
  async check(): Promise<void> {
    const uid = process.getuid?.();
    if (uid === undefined || (await found(this.path)) === null) return;
    await checkEntry(this.path, { uid, kind: 'directory', mode: 0o700, follow: false });
    for (const name of ['ca', 'leaf', 'leaf-rsa'] as const)
      for (const part of parts)
        await checkEntry(this.file(name, part), { uid, kind: 'file', mode: 0o600, follow: false });
  }

  /** Throws StoreError `store-io` when a file is there and cannot be read. */
  async read(name: PairName): Promise<Reading> {
    const key = await contentOf(this.file(name, 'key'));
    const certificate = await contentOf(this.file(name, 'certificate'));
    if (key === null && certificate === null) return { state: 'none' };
    const reading = this.#readingOf(name, { certificate, key });
    if (reading.state !== 'torn') return reading;
    return (await this.#finished(name, key)) ?? reading;
  }

  #readingOf(
    name: PairName,
    { certificate, key }: Readonly<Record<keyof PairText, Uint8Array | null>>,
  ): Exclude<Reading, { readonly state: 'none' }> {
    if (certificate === null)
      return { state: 'torn', file: this.file(name, 'certificate'), why: 'is missing' };
    if (key === null) return { state: 'torn', file: this.file(name, 'key'), why: 'is missing' };
    try {
      return { state: 'good', pair: readPair({ certificate, key }) };
    } catch (error) {
      if (!(error instanceof UnusablePair)) throw error;
      return { state: 'torn', file: this.file(name, error.part), why: error.message };
    }
  }

  /** The machine stopped between putting the key and the certificate in place: the rest is done now. */
  async #finished(name: PairName, key: Uint8Array | null): Promise<Reading | null> {
    const path = this.file(name, 'certificate');
    const certificate = await contentOf(waiting(path));
    if (key === null || certificate === null) return null;
    const reading = this.#readingOf(name, { certificate, key });
    if (reading.state === 'torn') return null;
    await this.#io.rename(waiting(path), path);
    await this.#io.syncDirectory(this.path);
    return reading;
  }

  /** Writes both files beside their places; throws StoreError `store-io` when the disk does not take them. */
  async stage({ name, text }: Write): Promise<void> {
    await makeDirectory(this.path);
    await this.#translated(async () => {
      await this.#io.syncDirectory(dirname(this.path));
      for (const part of parts) {
        const path = waiting(this.file(name, part));
        await this.#io.writeFile(path, Buffer.from(text[part]));
        await this.#io.syncFile(path);
      }
      await this.#io.syncDirectory(this.path);
    });
  }

  /** Puts what was staged in place. */
  async put({ name }: Pick<Write, 'name'>): Promise<void> {
    await this.#translated(async () => {
      for (const part of ['key', 'certificate'] as const)
        await this.#io.rename(waiting(this.file(name, part)), this.file(name, part));
      await this.#io.syncDirectory(this.path);
    });
  }

  /** Takes back what was staged and not put in place. */
  async discard({ name }: Pick<Write, 'name'>): Promise<void> {
    for (const part of parts) await rm(waiting(this.file(name, part)), { force: true });
  }

  /**
   * Keeps a copy of the CA in place as `ca-DATE`, under which it outlives the next one. Another CA that stands under such a
   * name is never replaced.
   */
  async keepAuthority(day: string): Promise<void> {
    await this.#translated(async () => {
      const text = {
        certificate: await readFile(this.file('ca', 'certificate')),
        key: await readFile(this.file('ca', 'key')),
      };
      const name = await this.#nameToKeep(`ca-${day}`, text.certificate);
      for (const part of parts) await replaceFile(this.file(name, part), text[part], this.#io);
    });
  }

  /** The name this CA is kept under already, where the machine stopped before the next one was in its place. */
  async #nameToKeep(wanted: string, certificate: Buffer): Promise<string> {
    const names = new Set(await readdir(this.path));
    for (const name of names)
      if (/^ca-.*\.crt$/.test(name) && certificate.equals(await readFile(join(this.path, name))))
        return name.slice(0, -'.crt'.length);
    const isTaken = (name: string): boolean => parts.some((part) => names.has(`${name}.${extensions[part]}`));
    let name = wanted;
    for (let next = 2; isTaken(name); next += 1) name = `${wanted}-${next}`;
    return name;
  }

  async #translated(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      const code = codeOf(cause) ?? 'unknown error';
      throw new StoreError('store-io', `${this.path} cannot be written (${code})`, {
        cause,
        hint: 'See to free space and permissions there.',
      });
    }
  }
}

const waiting = (path: string): string => `${path}.new`;

/** null when it is missing. */
async function contentOf(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'ENOENT') return null;
    throw new StoreError('store-io', `${path} cannot be read (${code ?? 'unknown error'})`, { cause });
  }
}
