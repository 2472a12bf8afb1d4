// What of the process's surroundings must not decide about trust: variables and switches by which Node and
// OpenSSL trust more than the configuration says, write the keys of sessions or the memory of this process to a file, or
// let others look into it.

import { CommandError } from '../errors.ts';

const trustVariables = [
  'NODE_TLS_REJECT_UNAUTHORIZED',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_USE_SYSTEM_CA',
] as const;
const unsafeSwitches = [
  '--tls-keylog',
  '--trace-tls',
  '--openssl-config',
  // A debugger lets in every user of the machine, and asks nobody who he is.
  '--inspect',
  '--inspect-brk',
  '--inspect-wait',
  // All strings of the process, in a file of the working directory.
  '--heapsnapshot-signal',
  '--heapsnapshot-near-heap-limit',
  // The environment, and the text of an error, which may quote what somebody sent.
  '--report-on-signal',
  '--report-on-fatalerror',
  '--report-uncaught-exception',
  // A core file has everything.
  '--abort-on-uncaught-exception',
] as const;

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
    hint: 'It would give away or weaken what passes through: take it out of the command line and of NODE_OPTIONS.',
  });
}
