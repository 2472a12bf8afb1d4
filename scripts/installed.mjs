// Exits 0 when node_modules holds exactly the versions of package-lock.json, 1 when `npm ci` is due.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function packages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return null;
  }
}

const wanted = packages('package-lock.json');
const present = packages('node_modules/.package-lock.json');

/** Packages for other platforms are optional and stay out. */
function isThere([name, entry]) {
  if (name === '' || (entry.optional && present[name] === undefined)) return true;
  return present[name]?.integrity === entry.integrity && present[name]?.version === entry.version;
}

const complete = wanted !== null && present !== null && Object.entries(wanted).every(isThere);
process.exitCode = complete ? 0 : 1;
