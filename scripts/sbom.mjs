// Prints the SBOM of the release in ROOT (this repository unless one is named), out of package-lock.json by npm itself and
// of what the build says it bundled (LICENSES.txt). Packages for development alone are left out; the time and the serial
// number are made of the content, so that the same release has the same SBOM. Usage: node scripts/sbom.mjs [ROOT]

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url))));
const bundles = ['dist/cmd/LICENSES.txt', 'dist/src/admin/dashboard/LICENSES.txt'];

/** `preact 11.2.0` as the head of each licence says. */
function bundled() {
  const texts = bundles.map((name) => readFileSync(join(root, name), 'utf8'));
  return new Set(texts.flatMap((text) => text.match(/^\S+ \d[\w.+-]*(?= \([^)]+\)$)/gm) ?? []));
}

const propertyOf = ({ properties = [] }, name) =>
  properties.find((property) => property.name === name)?.value;
const isForDevelopment = (component) => propertyOf(component, 'cdx:npm:package:development') === 'true';

/** npm writes where each was downloaded from, which is a matter of whoever downloaded it, and where it lay. */
function tidied(component, inBundle) {
  const { externalReferences = [], properties = [], ...rest } = component;
  return {
    ...rest,
    externalReferences: externalReferences.filter(({ type }) => type !== 'distribution'),
    properties: [
      ...properties.filter(({ name }) => !name.startsWith('cdx:npm:package:development')),
      ...(inBundle ? [{ name: 'letterlock:bundled', value: 'true' }] : []),
    ],
  };
}

/** A UUID made of what it names. */
function serialOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const words = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
const whole = JSON.parse(execFileSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }));
const inBundle = bundled();
const nameOf = ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name} ${version}`;
const components = whole.components
  .filter((component) => !isForDevelopment(component) || inBundle.has(nameOf(component)))
  .map((component) => tidied(component, inBundle.has(nameOf(component))));
const kept = new Set([
  whole.metadata.component['bom-ref'],
  ...components.map((component) => component['bom-ref']),
]);
const dependencies = whole.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }));
const epoch = process.env['SOURCE_DATE_EPOCH'];
const timestamp = new Date(
  epoch === undefined ? Number(readFileSync(join(root, 'dist/built-at'), 'utf8')) : Number(epoch) * 1000,
).toISOString();
const { serialNumber: _, metadata, ...rest } = whole;
// npm takes the name of the folder.
const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const subject = { ...tidied(metadata.component, false), name };
const sbom = { ...rest, metadata: { ...metadata, timestamp, component: subject }, components, dependencies };
const text = JSON.stringify(sbom);
process.stdout.write(`${JSON.stringify({ serialNumber: serialOf(text), ...sbom }, null, 1)}\n`);
