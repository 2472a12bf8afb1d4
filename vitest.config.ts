import { defineConfig } from 'vitest/config';
import { SecondTry } from './scripts/second-try.mjs';

// The trust environment of the machine must never reach a test: it changes what OpenSSL and Node trust.
for (const name of [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CURL_CA_BUNDLE',
  'REQUESTS_CA_BUNDLE',
  'NODE_TLS_REJECT_UNAUTHORIZED',
]) {
  delete process.env[name];
}

// Where scripts/test wants the outcome of each test written down.
const report = process.env['LETTERLOCK_REPORT'];
// A dot a test, where its name is of no interest.
const dots = process.env['LETTERLOCK_DOTS'] !== undefined;
// Files that scripts/matrix need not run again.
const leftOut = process.env['LETTERLOCK_LEAVE_OUT']?.split(',') ?? [];

export default defineConfig({
  test: {
    reporters: [
      dots ? 'dot' : 'default',
      new SecondTry(),
      ...(report === undefined ? [] : [['json', { outputFile: report }] as const]),
    ],
    // A busy machine, and other people's servers and clients; a second try is told of by name, with what failed first.
    retry: 1,
    pool: 'forks',
    maxWorkers: 2,
    // A poll ends when its answer comes; on a busy machine that may take longer than the default second.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', ...leftOut],
          // None needs so long but on a machine that does much else.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Real mail servers and clients: each file starts its own servers, each test is bounded by its drivers.
        extends: true,
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          // They wait for others nearly half of the time. After all else: how many run at once may differ between groups only.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
