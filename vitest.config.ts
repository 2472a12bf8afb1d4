import { defineConfig } from 'vitest/config';

// The trust environment of the machine must never reach a test: it changes what OpenSSL and Node trust.
for (const name of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE', 'NODE_TLS_REJECT_UNAUTHORIZED']) {
  delete process.env[name];
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
