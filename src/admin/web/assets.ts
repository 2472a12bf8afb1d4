// The files of the page, read once from the folder they were built into. What is served is this list and
// nothing else: no path of a URL ever becomes a path of a file.

import { createHash } from 'node:crypto';
import { lstat, readFile, readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Strong, in quotes. */
  readonly etag: string;
  readonly caching: 'no-cache' | 'public, max-age=31536000, immutable';
}

/** By the path of the URL: `/`, `/assets/app-ABCDEFGH.js`. */
export type Assets = ReadonlyMap<string, Asset>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.webmanifest': 'application/manifest+json',
};

/** Where the build puts the page: beside this, in the folder of its sources. */
export const builtPage = join(import.meta.dirname, '../dashboard');

const maxFiles = 64;
const maxBytes = 4 * 1024 * 1024;

/** `index.html` and all of `assets/`; null when the folder does not hold a built page. */
export async function loadAssets(folder: string): Promise<Assets | null> {
  try {
    const names = (await readdir(join(folder, 'assets'))).filter((name) => extname(name) in types);
    const index = await load(join(folder, 'index.html'));
    if (index === null || names.length === 0 || names.length > maxFiles) return null;
    const assets = new Map([['/', index]]);
    for (const name of names) {
      const asset = await load(join(folder, 'assets', name));
      if (asset !== null) assets.set(`/assets/${name}`, asset);
    }
    return assets;
  } catch {
    // Sources that were not built have no such folder.
    return null;
  }
}

/** null for what is no plain file of a reasonable size. */
async function load(path: string): Promise<Asset | null> {
  const facts = await lstat(path);
  if (!facts.isFile() || facts.size > maxBytes) return null;
  const bytes = await readFile(path);
  return {
    type: types[extname(path)] ?? 'application/octet-stream',
    bytes,
    etag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
    caching: isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}

/** As the bundler names what never changes under its name: `app-ABCD1234.js`. */
const isHashed = (path: string): boolean => /-[A-Z0-9]{8,}\.\w+$/.test(path);
