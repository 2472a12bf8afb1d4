// A certificate and key of the operator's own, watched: whatever renews them replaces files or links, and clients
// are shown the new pair without a restart. A pair that cannot be used, such as one half written, is told once
// and the last good one stays.

import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { SecureContext } from 'node:tls';
import { CommandError } from '../errors.ts';
import type { ServerCredentials } from '../net/local-handshake.ts';
import type { ClientTlsSettings, ClientTlsVersion } from '../proxy/route.ts';
import { codeOf } from '../store/database.ts';
import { contextOf } from './context.ts';
import type { News } from './news.ts';
import { readPair, UnusablePair, type Pair } from './pair.ts';

export type OwnFiles = NonNullable<ClientTlsSettings['files']>;

/** A chain of 100 KB is more than any client takes in a handshake. */
const maxBytes = 1024 * 1024;

interface Loaded {
  /** Of the files' contents. */
  readonly digest: string;
  readonly context: SecureContext;
  readonly notAfter: number;
  readonly subject: string;
}

/** @throws CommandError `config` that names the file */
export async function loadOwnPair(files: OwnFiles, minVersion: ClientTlsVersion): Promise<Loaded> {
  const bytes = { certificate: await contentOf(files.certificate), key: await contentOf(files.key) };
  const digest = createHash('sha256').update(bytes.certificate).update('\0').update(bytes.key).digest('hex');
  try {
    const pair = readPair(bytes);
    const { notAfter, parsed } = pair;
    return { digest, context: usable(pair, { files, minVersion }), notAfter, subject: parsed.subject.text };
  } catch (cause) {
    if (!(cause instanceof UnusablePair)) throw cause;
    throw unusable(`${files[cause.part]} ${cause.message}`, cause);
  }
}

function usable(
  pair: Pair,
  { files, minVersion }: { readonly files: OwnFiles; readonly minVersion: ClientTlsVersion },
): SecureContext {
  try {
    return contextOf([pair], minVersion);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown error';
    throw unusable(`${files.certificate} cannot be shown to clients: ${why}`, cause);
  }
}

async function contentOf(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw unusable(`${path} is longer than ${maxBytes} bytes`, undefined);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw unusable(`${path} cannot be read (${codeOf(cause) ?? 'unknown error'})`, cause);
  }
}

const unusable = (message: string, cause: unknown): CommandError =>
  new CommandError('config', message, {
    code: 'client-certificate',
    cause,
    hint: 'clientTls: {certificate: …, key: …} name PEM files, the certificate of this machine first, the key without a passphrase.',
  });

export class OwnCertificate implements ServerCredentials {
  readonly #files: OwnFiles;
  readonly #minVersion: ClientTlsVersion;
  #loaded: Loaded;
  /** The files as they were when last read, good or not. */
  #seen: string;
  #toldExpired = false;

  private constructor(
    { files, minVersion }: { readonly files: OwnFiles; readonly minVersion: ClientTlsVersion },
    { loaded, seen }: { readonly loaded: Loaded; readonly seen: string },
  ) {
    this.#files = files;
    this.#minVersion = minVersion;
    this.#loaded = loaded;
    this.#seen = seen;
  }

  /** @throws CommandError `config` */
  static async open(files: OwnFiles, minVersion: ClientTlsVersion): Promise<OwnCertificate> {
    // Looked at before they are read: a change in between is seen at the next look.
    const seen = await marksOf(files);
    return new OwnCertificate({ files, minVersion }, { loaded: await loadOwnPair(files, minVersion), seen });
  }

  context(): SecureContext {
    return this.#loaded.context;
  }

  /** Takes new files; what there is to tell. Never rejects. */
  async look(now: number): Promise<readonly News[]> {
    const seen = await marksOf(this.#files);
    const told = seen === this.#seen ? [] : await this.#reload();
    this.#seen = seen;
    return [...told, ...this.#expiry(now)];
  }

  async #reload(): Promise<readonly News[]> {
    try {
      const loaded = await loadOwnPair(this.#files, this.#minVersion);
      if (loaded.digest === this.#loaded.digest) return [];
      this.#loaded = loaded;
      this.#toldExpired = false;
      return [this.#taken()];
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return [
        {
          code: 'client-certificate-kept',
          message: `${error.message}; clients are shown the one from before, until ${dayOf(this.#loaded.notAfter)}`,
        },
      ];
    }
  }

  #taken(): News {
    const { subject, notAfter } = this.#loaded;
    const message = `${this.#files.certificate} was read again: clients are shown ${subject}, until ${dayOf(notAfter)}`;
    return { code: 'client-certificate-reloaded', message };
  }

  /** An expired one is shown all the same: clients that do not verify must not lose their mail for it. */
  #expiry(now: number): readonly News[] {
    const { notAfter } = this.#loaded;
    if (now < notAfter || this.#toldExpired) return [];
    this.#toldExpired = true;
    const message = `${this.#files.certificate} expired on ${dayOf(notAfter)}: clients that verify will not connect`;
    return [{ code: 'client-certificate-expired', message }];
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** What tells a file from the one that stood there before, links followed. */
async function marksOf({ certificate, key }: OwnFiles): Promise<string> {
  const marks = await Promise.all(
    [certificate, key].map(async (path) => {
      try {
        const { dev, ino, size, mtimeMs, ctimeMs } = await stat(path);
        return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
      } catch (error) {
        return codeOf(error) ?? 'unknown';
      }
    }),
  );
  return marks.join('\n');
}
