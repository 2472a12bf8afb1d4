// `letterlock run`: the proxy. Everything is checked before anything starts; what a person must enter in the
// mail client is printed to stdout, the log goes to stderr.

import { loadConfig } from '../src/config/load.ts';
import type { Daemon } from '../src/daemon.ts';
import { refuseUnsafeSwitches } from '../src/daemon/environment.ts';
import { CommandError } from '../src/errors.ts';
import { EarlyDoors } from '../src/proxy/early-doors.ts';
import type { Route } from '../src/proxy/route.ts';
import { closeUmask } from '../src/store/umask.ts';
import type { Args } from './args.ts';
import { isSet, textsOf } from './args.ts';
import { boundPlaces, clientLines, clientShape } from './client-settings.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withConfig, withJson, withState } from './command.ts';
import { keepHangup } from './early-hangup.ts';
import type { Io } from './io.ts';
import { soundConfig, sourcesOf } from './settings.ts';

const run: Run = async (args, io) => {
  refuseUnsafeSwitches(io.execArgv, io.env);
  const hangup = keepHangup();
  noteOldNode(io);
  noteRoot(io);
  const urls = textsOf(args, 'url');
  const sources = await sourcesOf(args, io, { urls, needsRoutes: true, serves: true });
  if (sources.file === null && urls.length === 0) throw nothingToRun();
  const { config } = soundConfig(await loadConfig(sources), io);
  // Before most of the program is loaded: clients wait meanwhile, and none is refused.
  closeUmask();
  const doors = await EarlyDoors.open(config.routes, io.env);
  // All that a reload needs as well: later, its files may be those of another version.
  const [{ runDaemon }, { loadConfigApart }] = await doors.across(
    Promise.all([import('../src/daemon.ts'), import('../src/config/load-apart.ts')]),
  );
  await runDaemon(config, {
    doors,
    reread: (program) => loadConfigApart(sources, { script: threadScript(), program }),
    env: io.env,
    execArgv: io.execArgv,
    started: (daemon) => {
      hangup.pass();
      if (urls.length > 0) printSettings(boundRoutes(config.routes, daemon), { args, io });
    },
  });
  return 'done';
};

/** Beside this file, as a source and as it is shipped. */
const threadScript = (): URL => new URL(import.meta.url.replace(/run(?=\.[jt]s$)/, 'config-thread'));

function printSettings(
  routes: readonly Route[],
  { args, io }: { readonly args: Args; readonly io: Io },
): void {
  if (isSet(args, 'json')) io.printJson(clientShape(routes));
  else io.print(...clientLines(routes));
}

function boundRoutes(routes: readonly Route[], daemon: Pick<Daemon, 'routes'>): readonly Route[] {
  const bound = new Map(daemon.routes().map((status) => [status.name, status]));
  return routes.map((route) => ({ ...route, listen: boundPlaces(route.listen, bound.get(route.name)) }));
}

const nothingToRun = (): CommandError =>
  new CommandError('usage', 'there is nothing to run', {
    hint: 'Give URLs (letterlock run imaps://imap.example.org) or a file (letterlock run -c letterlock.yaml).',
  });

/** Node 20 gets no security fixes any more; TLS fixes of later versions are missing in it. */
function noteOldNode(io: Io): void {
  if (Number(process.versions.node.split('.')[0]) > 20) return;
  io.note(
    `note: Node ${process.versions.node} gets no security fixes since April 2026; Node 22 or later is better`,
  );
}

/** A mistake of ours would be one of root's. In a container as well: it is the host's root unless users are mapped. */
function noteRoot(io: Io): void {
  if (process.getuid?.() !== 0) return;
  io.note(
    'warning: letterlock runs as root and needs none of its rights; docs/confinement.md has a service with a user of its own',
  );
}

const build = (parser: Parser): Parser =>
  withState(withConfig(withJson(parser)))
    .positional('url', {
      type: 'string',
      array: true,
      describe: 'URL, [ADDR:]PORT=URL or unix:PATH=URL of a mail server',
    })
    .option('trust', {
      type: 'string',
      requiresArg: true,
      describe: 'default trust policy: auto, ca, tofu, ca+tofu, pinned or dane',
    })
    .option('first-use', {
      type: 'string',
      requiresArg: true,
      describe: 'first key of an endpoint: accept, hold or refuse',
    })
    .option('dane', {
      type: 'string',
      requiresArg: true,
      describe: 'TLSA records beside trust auto: off or prefer',
    })
    .option('resolver', {
      type: 'string',
      requiresArg: true,
      describe: 'who checks DNSSEC: ADDRESS[:PORT] of this machine',
    })
    .option('ca-file', {
      type: 'string',
      requiresArg: true,
      describe: 'trust anchors: a PEM file, or system,FILE',
    })
    .option('metrics', {
      type: 'string',
      requiresArg: true,
      describe: 'HOST:PORT of the metrics page, or off',
    })
    .option('log-level', { type: 'string', requiresArg: true, describe: 'error, warn, info or debug' })
    .option('log-format', { type: 'string', requiresArg: true, describe: 'json, pretty or auto' })
    .option('shutdown-seconds', {
      type: 'string',
      requiresArg: true,
      describe: 'how long open sessions may go on after SIGTERM',
    })
    .option('socket', { type: 'string', requiresArg: true, describe: 'admin socket to listen on' })
    .usage(
      'Usage: $0 run [URL|[ADDR:]PORT=URL ...] [-c FILE]\n\nRuns the proxy until SIGTERM or SIGINT; SIGHUP reloads the configuration.',
    )
    .example(
      '$0 run imaps://imap.example.org submission://mail.example.org',
      'on ports 1143 and 1587 of localhost',
    )
    .example('$0 run 1110=pop3s://pop.example.org', 'on a port of your choice')
    .example('$0 run unix:/run/user/1000/mail.sock=imaps://imap.example.org', 'on a socket file')
    .example('$0 run -c letterlock.yaml', 'everything from a file');

export const runCommand: CommandModule = { build, run };
