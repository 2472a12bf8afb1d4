// The files of an import: the one that was named, and those it names itself (mbsync's CertificateFile). Each
// finding and problem keeps the file it is from.

import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError } from '../src/errors.ts';
import { readPem } from '../src/formats/pem.ts';
import type { Finding, NamedFile, Reader, Remark, Source } from '../src/formats/reading.ts';
import { usage } from './args.ts';
import type { Io } from './io.ts';

/** A backup of a hundred thousand servers, with the certificate of every key. */
const maxBytes = 256 * 1024 * 1024;

type At<T> = T & { readonly file: string };
export type FoundAt = At<Finding>;

export interface ReadFiles {
  readonly entries: readonly FoundAt[];
  readonly skipped: readonly At<Remark>[];
  readonly problems: readonly At<Remark>[];
}

/** Reads `source`, and the files it names. A file that cannot be read is a problem of the line that names it. */
export async function readImport(
  { file, read, source }: { readonly file: string; readonly read: Reader; readonly source: Source },
  io: Io,
): Promise<ReadFiles> {
  const own = read(source);
  const parts = [placed(file, own)];
  for (const named of own.files) parts.push(await readNamed(named, { file, source }, io));
  return {
    entries: parts.flatMap(({ entries }) => entries),
    skipped: parts.flatMap(({ skipped }) => skipped),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

const placed = (
  file: string,
  { entries, skipped, problems }: Omit<ReturnType<Reader>, 'files'>,
): ReadFiles => ({
  entries: entries.map((one) => ({ ...one, file })),
  skipped: skipped.map((one) => ({ ...one, file })),
  problems: problems.map((one) => ({ ...one, file })),
});

async function readNamed(
  { line, path, endpoint }: NamedFile,
  { file, source }: { readonly file: string; readonly source: Source },
  io: Io,
): Promise<ReadFiles> {
  const folder = file === '-' ? io.cwd : dirname(resolve(io.cwd, file));
  const place = resolve(folder, path.replace(/^~(?=\/)/, io.env['HOME'] ?? '~'));
  try {
    const text = await readText(place, io);
    return placed(place, readPem({ ...source, text, endpoints: [endpoint] }));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return placed(file, { entries: [], skipped: [], problems: [{ line, text: error.message }] });
  }
}

/** What was found of each endpoint, in the order of the files. */
export function byEndpoint(entries: readonly FoundAt[]): ReadonlyMap<string, readonly FoundAt[]> {
  const found = new Map<string, FoundAt[]>();
  for (const entry of entries) {
    const before = found.get(entry.endpoint);
    if (before === undefined) found.set(entry.endpoint, [entry]);
    else before.push(entry);
  }
  return found;
}

/** A file as text, or standard input for `-`. @throws CommandError */
export async function readText(file: string, io: Io): Promise<string> {
  const bytes = file === '-' ? await readAll(io.stdin) : await readBytes(file, io);
  const text = bytes.toString('utf8');
  if (text.includes('\0')) throw usage(`${file} is not a text file`, 'a certificate must be in PEM form');
  return text;
}

async function readBytes(file: string, io: Io): Promise<Buffer> {
  const path = resolve(io.cwd, file);
  try {
    const facts = await stat(path);
    if (!facts.isFile()) throw usage(`${file} is not a file`);
    if (facts.size > maxBytes) throw usage(`${file} is longer than ${maxBytes} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new CommandError('not-found', `${file} cannot be read (${code})`, {
      hint: 'Check the path and its permissions.',
      cause,
    });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw usage(`standard input is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
