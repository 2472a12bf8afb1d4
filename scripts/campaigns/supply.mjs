// What letterlock is made of, and whether anybody gets the same out of it: the lock file is whole, licences go with MIT and each package
// has a reason; `npm ci --ignore-scripts` on a clean copy builds it; two builds in different folders under different
// surroundings have the same bytes, packed too; the package holds what it should and runs; the SBOM names all of it.

import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanCopy, differences, root, run as execute } from './supply/copies.mjs';
import { installedFindings, lockFindings, locked, nameIn, reasonFindings } from './supply/lock.mjs';
import { contentFindings, installedRuns, packInto } from './supply/package.mjs';

/** Some moment; both builds are told the same. */
const epoch = '1790000000';
/** What must not matter to a build. */
const surroundings = [
  { TZ: 'UTC', LC_ALL: 'C', LANG: 'C', USER: 'anna' },
  {
    TZ: 'Pacific/Kiritimati',
    LC_ALL: 'C.UTF-8',
    LANG: 'de_DE.UTF-8',
    USER: 'root',
    TERM: 'dumb',
    COLUMNS: '40',
  },
];

/** Installs by the lock file alone, no scripts; where no registry answers, what this repository has installed is taken. */
async function install(copy, signal) {
  const words = [
    'npm',
    'ci',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  try {
    await execute(words, { cwd: copy, signal });
    return { how: 'npm ci', findings: [] };
  } catch (error) {
    const unreachable =
      /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|self.signed|unable to get/i.test(error.message);
    if (!unreachable) return { how: 'failed', findings: [`npm ci --ignore-scripts: ${error.message}`] };
    cpSync(join(root, 'node_modules'), join(copy, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const said =
      process.env.CI === undefined ? [] : [`no registry answered npm ci --ignore-scripts: ${error.message}`];
    return { how: 'copied', findings: said };
  }
}

async function build(copy, env, signal) {
  await execute(['sh', '-c', `umask ${env.USER === 'root' ? '077' : '022'}; exec node scripts/build.mjs`], {
    cwd: copy,
    env: { ...env, SOURCE_DATE_EPOCH: epoch, NODE_OPTIONS: '' },
    signal,
  });
}

/** Twice the same bytes, and every package that ships or is bundled in it. */
async function sbomFindings([one, other], { lock, signal }) {
  const texts = [];
  for (const [at, copy] of [one, other].entries())
    texts.push(
      await execute(['node', 'scripts/sbom.mjs'], {
        cwd: copy,
        env: { ...surroundings[at], SOURCE_DATE_EPOCH: epoch },
        signal,
      }),
    );
  const findings = texts[0] === texts[1] ? [] : ['two SBOMs of the same sources differ'];
  if (/https?:\/\/(?:registry|npm)\./.test(texts[0])) findings.push('the SBOM names a registry');
  const { components, bomFormat, metadata } = JSON.parse(texts[0]);
  if (bomFormat !== 'CycloneDX' || metadata.component.name !== 'letterlock')
    findings.push('the SBOM is none of letterlock');
  const named = new Map(
    components.map(({ purl, ...rest }) => [decodeURIComponent(purl.replace(/\?.*$/, '')), rest]),
  );
  const wanted = locked(lock)
    .filter(({ ships }) => ships)
    .map(({ path, entry }) => `pkg:npm/${nameIn(path)}@${entry.version}`);
  const licences = ['dist/cmd', 'dist/src/admin/dashboard']
    .map((folder) => readFileSync(join(one, folder, 'LICENSES.txt'), 'utf8'))
    .join('\n');
  const bundled = [...licences.matchAll(/^(\S+) (\d[\w.+-]*) \([^)]+\)$/gm)].map(
    ([, name, version]) => `pkg:npm/${name}@${version}`,
  );
  if (bundled.length < 40) findings.push(`only ${bundled.length} licences stand beside what is bundled`);
  for (const purl of new Set([...wanted, ...bundled])) {
    const component = named.get(purl);
    if (component === undefined) findings.push(`the SBOM lacks ${purl}`);
    else if (!component.hashes?.some(({ alg }) => alg === 'SHA-512') || component.licenses === undefined)
      findings.push(`the SBOM has no hash or no licence of ${purl}`);
  }
  const expected = new Set([...wanted, ...bundled]);
  for (const purl of named.keys())
    if (!expected.has(purl)) findings.push(`the SBOM names ${purl}, which does not ship`);
  return { findings, components: components.length };
}

/** Each head of a licence is followed by a text. */
function licenceTextFindings(copy) {
  return ['dist/cmd', 'dist/src/admin/dashboard'].flatMap((folder) => {
    const pieces = readFileSync(join(copy, folder, 'LICENSES.txt'), 'utf8').split(/^-{78}$/m);
    return pieces
      .filter((piece) => piece.trim().length < 200)
      .map((piece) => `${folder}/LICENSES.txt has no text for ${piece.trim().split('\n')[0]}`);
  });
}

async function run({ build: built, folder, signal, say }) {
  // Of different lengths, so that a path in a file moves what is behind it.
  const copies = [join(folder, 'one'), join(folder, 'another/of/a/longer/name')];
  for (const copy of copies) {
    mkdirSync(copy, { recursive: true });
    await cleanCopy(built, copy);
  }
  const [one, other] = copies;
  const { findings, lock, manifest } = lockFindings(one);
  findings.push(...reasonFindings(one, { lock, manifest }));
  const installed = await install(one, signal);
  findings.push(...installed.findings);
  const figures = [
    ['locked packages', locked(lock).length],
    ['shipped', locked(lock).filter(({ ships }) => ships).length],
    ['installed by', installed.how],
  ];
  if (!existsSync(join(one, 'node_modules'))) return { figures, findings };
  findings.push(...installedFindings(one, lock));
  await execute(['cp', '-a', join(one, 'node_modules'), join(other, 'node_modules')], {
    cwd: folder,
    signal,
  });
  say('building twice');
  await build(one, surroundings[0], signal);
  await build(other, surroundings[1], signal);
  findings.push(...differences(join(one, 'dist'), join(other, 'dist')).map((text) => `two builds: ${text}`));
  const packed = [];
  for (const [at, copy] of copies.entries())
    packed.push(await packInto(copy, join(folder, `packed-${at}`), signal));
  findings.push(
    ...differences(packed[0].unpacked, packed[1].unpacked).map((text) => `two packages: ${text}`),
  );
  const [tarball, again] = packed.map((each) => readFileSync(each.tarball));
  if (!tarball.equals(again)) findings.push('two tarballs of the same sources differ');
  findings.push(
    ...contentFindings(packed[0].unpacked, [one, root]),
    ...contentFindings(packed[1].unpacked, [other]),
  );
  findings.push(...licenceTextFindings(one));
  const sbom = await sbomFindings(copies, { lock, signal });
  findings.push(...sbom.findings);
  say('installing the package');
  findings.push(...(await installedRuns(packed[0].tarball, join(folder, 'user'), { signal })));
  return {
    figures: [
      ...figures,
      ['kB packed', Math.round(tarball.length / 1000)],
      ['components in the SBOM', sbom.components],
      ['builds alike', findings.some((text) => text.startsWith('two')) ? 'no' : 'yes'],
    ],
    findings: [...new Set(findings)],
  };
}

export const campaign = {
  name: 'supply',
  title: 'lock file, licences, clean install, same bytes twice, package and SBOM',
  short: 40,
  proof: 40,
  long: 120,
  planted: [
    {
      name: 'writes the time of the build into a file',
      file: 'scripts/build.mjs',
      find: 'epoch === undefined ? Date.now() : Number(epoch) * 1000',
      says: /^two /,
      replace: 'epoch === "" ? Number(epoch) : Date.now()',
    },
    {
      name: 'writes the folder of the build into a file',
      file: 'scripts/licences.mjs',
      find: 'return `${name} ${version} (${license})\\n${text}`;',
      says: /^two /,
      replace: 'return `${name} ${version} (${license})\\n${folder}\\n${text}`;',
    },
    {
      name: 'packs the scripts of the repository',
      file: 'package.json',
      find: '"files": [\n    "dist",',
      says: /^the package holds scripts\//,
      replace: '"files": [\n    "scripts",\n    "dist",',
    },
    {
      name: 'imports at runtime what is there for tests only',
      file: 'src/ops/probe-entry.ts',
      find: "import { bases } from './session-entry.ts';",
      says: /undici/,
      replace: "import 'undici';\nimport { bases } from './session-entry.ts';",
    },
  ],
  run,
};
