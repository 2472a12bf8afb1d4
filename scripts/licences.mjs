// The licences of the packages whose code is in a bundle, as one text that goes with it.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** @param metafile what esbuild says of the bundle; only packages of which something is left in it are named */
export function licencesOf(root, { outputs }) {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? folderOf(path) : []));
  return [...new Set(folders.map((folder) => resolve(root, folder)))]
    .map(licenceOf)
    .toSorted()
    .join(`\n${'-'.repeat(78)}\n\n`);
}

/** `node_modules/preact`, also of a package inside another's, and of what a plugin gave: `its name:PATH`. */
function folderOf(path) {
  const found = /^(?:[\w ]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return found === null ? [] : [found[1]];
}

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
}
