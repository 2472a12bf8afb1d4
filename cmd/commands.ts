// Every command, in the order of the help. A command's module, and all it needs, loads only when it is chosen.

import type { CommandEntry } from './command.ts';

export const commands: readonly CommandEntry[] = [
  {
    command: 'run [url..]',
    describe: 'run the proxy, from URLs or a configuration file',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    command: 'check',
    describe: 'check the configuration and say everything that is wrong with it',
    load: async () => (await import('./check.ts')).checkCommand,
  },
  {
    command: 'config',
    describe: 'show the effective configuration or its schema',
    load: async () => (await import('./config.ts')).configCommand,
  },
  {
    command: 'inspect <target>',
    describe: 'make one TLS handshake and show what the server presents',
    load: async () => (await import('./inspect.ts')).inspectCommand,
  },
  {
    command: 'cert <file>',
    describe: 'describe the certificates of a file',
    load: async () => (await import('./cert.ts')).certCommand,
  },
  {
    command: 'pins',
    describe: 'see and change which keys are trusted',
    load: async () => (await import('./pins.ts')).pinsCommand,
  },
  {
    command: 'explain <target>',
    describe: 'why something was refused or accepted, and what to do',
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    command: 'status',
    describe: 'what the running proxy does',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    command: 'probe [endpoint]',
    describe: 'have the running proxy ask a server now, without a mail client',
    load: async () => (await import('./probe.ts')).probeCommand,
  },
  {
    command: 'reload',
    describe: 'make the running proxy read its configuration again',
    load: async () => (await import('./reload.ts')).reloadCommand,
  },
  {
    command: 'doctor',
    describe: 'look at everything letterlock stands on and say what is wrong',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    command: 'hooks',
    describe: 'try the programs and receivers that are told of what happens',
    load: async () => (await import('./hooks.ts')).hooksCommand,
  },
  {
    command: 'local-ca',
    describe: 'the CA that vouches for letterlock to mail clients: see, export, install it',
    load: async () => (await import('./local-ca.ts')).localCaCommand,
  },
  {
    command: 'demo',
    describe: 'a mail server, letterlock, and what happens when the key changes',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
];
