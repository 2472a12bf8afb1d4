// Compiles src/ into a folder (dist/ unless one is named), bundles the page and the command into it, makes the bin
// executable and leaves the time of the build beside it: a clock that shows an earlier time is wrong (SOURCE_DATE_EPOCH, seconds, is
// taken instead where it is set, so that a build can be repeated).
import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? join(root, 'dist'));
const epoch = process.env['SOURCE_DATE_EPOCH'];
const builtAt = epoch === undefined ? Date.now() : Number(epoch) * 1000;

// Who may read what was built is a matter of the package, not of whoever builds it.
process.umask(0o022);
rmSync(out, { recursive: true, force: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', out], {
  cwd: root,
  stdio: 'inherit',
});
for (const bundle of ['build-page.mjs', 'build-command.mjs'])
  execFileSync(process.execPath, [join(root, 'scripts', bundle), out], { cwd: root, stdio: 'inherit' });
chmodSync(join(out, 'cmd/letterlock.js'), 0o755);
writeFileSync(join(out, 'built-at'), `${builtAt}\n`);
