// What of the process's surroundings must not decide about trust: variables and switches by which Node and
// OpenSSL trust more than the configuration says, or write the keys of sessions to a file.

import { CommandError } from '../errors.ts';

const trustVariables = [
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_USE_SYSTEM_CA',
] as const;
const unsafeSwitches = ['--tls-keylog', '--openssl-config'] as const;

/** The trust variables that are set; letterlock ignores them, and says so once. */
export const ambientTrust = (env: NodeJS.ProcessEnv): readonly string[] =>
  trustVariables.filter((name) => (env[name] ?? '') !== '');

/** @throws CommandError `config` when Node was started with a switch that opens what letterlock protects */
export function refuseUnsafeSwitches(execArgv: readonly string[], env: NodeJS.ProcessEnv): void {
  // Node takes underscores for hyphens in the names of its switches.
  const words = [...execArgv, ...(env['NODE_OPTIONS'] ?? '').split(/\s+/)].map((word) =>
    word.replace(/^["']/, '').replace(/^[^=]*/, (name) => name.replaceAll('_', '-')),
  );
  const found = unsafeSwitches.find((name) =>
    words.some((word) => word === name || word.startsWith(`${name}=`)),
  );
  if (found === undefined) return;
  throw new CommandError('config', `Node was started with ${found}`, {
    code: 'unsafe-switch',
    hint: 'It would give away or weaken TLS sessions: take it out of the command line and of NODE_OPTIONS.',
  });
}
