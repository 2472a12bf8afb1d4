// Gives a command its Operator: the daemon where one answers, else the store. Closed again whatever happens.

import { remoteOperator } from '../src/admin/client.ts';
import { findDaemon, noDaemon } from '../src/admin/find.ts';
import type { Lookup } from '../src/admin/find.ts';
import type { Operator } from '../src/admin/operator.ts';
import { defaultSocket, thisHome } from '../src/config/paths.ts';
import type { ExitName } from '../src/errors.ts';
import { readBuild } from '../src/ops/build.ts';
import { textOf } from './args.ts';
import type { Args } from './args.ts';
import type { Io } from './io.ts';
import { configFor } from './settings.ts';
import type { GoodConfig } from './settings.ts';

export interface OperatorNeeds {
  /** Only `pins add` may make a store. */
  readonly create: 'never' | 'if-missing';
}

/** Runs `work` with an Operator. @throws CommandError */
export async function withOperatorOf(
  { args, io, needs }: { readonly args: Args; readonly io: Io; readonly needs: OperatorNeeds },
  work: (operator: Operator, config: GoodConfig) => Promise<ExitName>,
): Promise<ExitName> {
  const config = await configFor(args, io, { urls: [], needsRoutes: false });
  const operator = await operatorOf({ args, io, needs }, config);
  try {
    return await work(operator, config);
  } finally {
    await operator.close();
  }
}

/** Runs `work` with the daemon; only a running one can answer. @throws CommandError `no-daemon` */
export async function withDaemonOf(
  { args, io }: { readonly args: Args; readonly io: Io },
  work: (operator: Operator, socket: string) => Promise<ExitName>,
): Promise<ExitName> {
  const config = await configFor(args, io, { urls: [], needsRoutes: false });
  const { path, tried } = await findDaemon(lookupOf({ args, io }, config));
  if (path === null) throw noDaemon(tried, io.words);
  return work(remoteOperator(path), path);
}

export async function operatorOf(
  { args, io, needs }: { readonly args: Args; readonly io: Io; readonly needs: OperatorNeeds },
  good: GoodConfig,
): Promise<Operator> {
  const { config } = good;
  const { openOperator } = await import('../src/admin/local.ts');
  return openOperator({
    state: config.state,
    create: needs.create,
    settings: new Map(config.routes.map(({ endpoint, trust }) => [endpoint.name, trust])),
    now: io.now,
    builtAt: readBuild().builtAt,
    lookup: lookupOf({ args, io }, good),
    command: io.words,
  });
}

/** Whoever named a file, a state or a socket means the daemon of that one and no other. */
export function lookupOf(
  { args, io }: { readonly args: Args; readonly io: Io },
  { config, origins }: GoodConfig,
): Lookup {
  const named = textOf(args, 'config') !== null || textOf(args, 'state') !== null;
  const isWritten = origins.some(
    ({ path, origin }) => (path[0] === 'state' || path[0] === 'admin') && origin !== 'default',
  );
  return {
    flag: textOf(args, 'socket'),
    config: named || isWritten ? config.admin.socket.path : null,
    env: io.env,
    stateSocket: defaultSocket(config.state, thisHome(io.env)),
  };
}
