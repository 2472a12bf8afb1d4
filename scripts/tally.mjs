// Reads vitest's JSON report and prints `N passed, N failed`, and `, N skipped` where skipping is allowed.
// A run that broke without a failing test (a file that did not load, an error outside a test) counts as one,
// and so does each thing that failed beside it. Exits 1 when anything failed.
// Usage: node scripts/tally.mjs REPORT VITEST_EXIT_CODE OTHER_FAILURES [--nothing-skipped]

import { readFileSync } from 'node:fs';

const [, , file, exit, others, strict] = process.argv;
const nothingSkipped = strict === '--nothing-skipped';

/** The suites of the report; none when the run left nothing that can be read. */
function suites() {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch {
    return [];
  }
}

const tests = suites().flatMap((suite) => suite.assertionResults);
const passed = tests.filter((test) => test.status === 'passed').length;
const skipped = tests.filter((test) => !['passed', 'failed'].includes(test.status));
const unloaded = suites().filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
let failed = tests.filter((test) => test.status === 'failed').length + unloaded.length;

if (failed === 0 && (exit !== '0' || passed === 0)) failed = 1;
failed += Number(others);
if (nothingSkipped) {
  for (const test of skipped) console.log(`skipped, which is not allowed here: ${test.fullName}`);
  failed += skipped.length;
}
const ending = nothingSkipped ? '' : `, ${skipped.length} skipped`;
console.log(`${passed} passed, ${failed} failed${ending}`);
process.exitCode = failed === 0 ? 0 : 1;
