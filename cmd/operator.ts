// Gives a command its Operator: the daemon where one answers, else the store. Closed again whatever happens.

import { openOperator } from '../src/admin/local.ts';
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

export function operatorOf(
  { args, io, needs }: { readonly args: Args; readonly io: Io; readonly needs: OperatorNeeds },
  { config, origins }: GoodConfig,
): Promise<Operator> {
  const named = textOf(args, 'config') !== null || textOf(args, 'state') !== null;
  const isWritten = origins.some(
    ({ path, origin }) => (path[0] === 'state' || path[0] === 'admin') && origin !== 'default',
  );
  return openOperator({
    state: config.state,
    create: needs.create,
    settings: new Map(config.routes.map(({ endpoint, trust }) => [endpoint.name, trust])),
    now: io.now,
    builtAt: readBuild().builtAt,
    lookup: {
      flag: textOf(args, 'socket'),
      config: named || isWritten ? config.admin.socket.path : null,
      env: io.env,
      stateSocket: defaultSocket(config.state, thisHome(io.env)),
    },
    command: io.words,
  });
}
