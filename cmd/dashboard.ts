// `letterlock dashboard`: opens the page. Where the daemon serves it, only an address is asked for; where it does
// not, this command serves it on loopback and hands every question on to the daemon's socket.

import type { Operator } from '../src/admin/operator.ts';
import type { DashboardRequest, DashboardShape } from '../src/admin/shapes.ts';
import { CommandError } from '../src/errors.ts';
import type { ExitName } from '../src/errors.ts';
import { isSet, textOf, usage } from './args.ts';
import type { Args } from './args.ts';
import { openerOf, openInBrowser } from './browser.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withOperator } from './command.ts';
import type { Io } from './io.ts';
import { untilStopped } from './until-stopped.ts';

const dashboard: Run = async (args, io) => {
  const port = portOf(args);
  const plan = planOf(args, io);
  const { withDaemonOf } = await import('./operator.ts');
  return withDaemonOf({ args, io }, async (operator, socket) => {
    const link = port === null ? await linkOf(operator, plan.wanted) : null;
    if (link === null) return serveHere(socket, { port: port ?? 0, plan, args, io });
    await show(link, { plan, args, io });
    return 'done';
  });
};

interface Plan {
  readonly wanted: DashboardRequest;
  /** null: print the address only. */
  readonly opener: readonly string[] | null;
}

/** An address that is given to a browser stands in a list of processes everybody may read: it is for its user alone. */
function planOf(args: Args, { env }: Io): Plan {
  const uid = process.geteuid?.() ?? null;
  const opener =
    isSet(args, 'print') || isSet(args, 'json') ? null : openerOf({ platform: process.platform, env, uid });
  const bound = opener !== null && process.platform === 'linux';
  return { wanted: { scope: isSet(args, 'admin') ? 'admin' : 'read', uid: bound ? uid : null }, opener };
}

function portOf(args: Args): number | null {
  const text = textOf(args, 'port');
  if (text === null) return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw usage(`--port ${text} is not a port`, 'write a number up to 65535; 0 takes any free one');
}

/** null where the daemon serves no page, or knows nothing of one. */
async function linkOf(operator: Operator, wanted: DashboardRequest): Promise<DashboardShape | null> {
  try {
    return await operator.dashboard(wanted);
  } catch (error) {
    if (error instanceof CommandError && error.exit === 'not-found') return null;
    throw error;
  }
}

interface Showing {
  readonly plan: Plan;
  readonly args: Args;
  readonly io: Io;
}

/** The address is always printed: a browser may open on a screen nobody looks at. */
async function show(link: DashboardShape, { plan, args, io }: Showing): Promise<void> {
  if (isSet(args, 'json')) return io.printJson(link);
  io.print(link.url);
  io.note(`good once, until ${link.expiresAt}; ${rights[link.scope]}`);
  if (plan.opener === null) return;
  const opened = await openInBrowser(plan.opener, link.url, io.env);
  io.note(opened ? 'opened in your browser' : 'no browser could be opened: open the address yourself');
}

const rights = {
  read: 'for looking only (to decide on keys: --admin)',
  admin: 'whoever opens it decides on keys',
} as const;

async function serveHere(
  socket: string,
  { port, ...showing }: Showing & { readonly port: number },
): Promise<ExitName> {
  const { io, plan } = showing;
  const { openBridge } = await import('../src/admin/web/bridge.ts');
  const stop = untilStopped();
  const door = await openBridge({ socket, port, now: io.now, rejected: refusalNotes(io) });
  try {
    await show(door.link(plan.wanted), showing);
    io.note('this command serves the page; it ends with Ctrl-C');
    await stop.stopped;
  } finally {
    await door.close();
    stop.release();
  }
  return 'done';
}

/** Each reason once: who sends a thousand wrong requests must not fill the terminal. */
function refusalNotes(io: Io): (reason: string) => void {
  const told = new Set<string>();
  return (reason) => {
    if (told.has(reason)) return;
    told.add(reason);
    io.note(`turned a request away: ${reason}`);
  };
}

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .option('admin', { type: 'boolean', describe: 'let the page decide on keys, not only look' })
    .option('print', { type: 'boolean', describe: 'print the address and open nothing' })
    .option('port', {
      type: 'string',
      requiresArg: true,
      describe: 'serve the page here, on this port of 127.0.0.1, until Ctrl-C',
    })
    .usage(
      'Usage: $0 dashboard\n\nOpens the page of the running daemon in your browser: routes, sessions, keys, and what waits for a decision.\n' +
        'The address is good once, for a minute. Where the daemon has no admin.listen, this command serves the page until Ctrl-C.',
    )
    .example('$0 dashboard', 'look')
    .example('$0 dashboard --admin', 'approve and reject keys there')
    .example('ssh -t -L 9466:127.0.0.1:9466 HOST $0 dashboard --print --port 9466', 'of another machine');

export const dashboardCommand: CommandModule = { build, run: dashboard };
