// `letterlock probe ENDPOINT`: has the daemon ask a server now, without a mail client. It never asks by itself: what
// the daemon would do for a client is what is to be known.

import type { ProbeShape } from '../src/admin/live-shapes.ts';
import type { Operator } from '../src/admin/operator.ts';
import { CommandError, failures, isFailure, refusals, type ExitName } from '../src/errors.ts';
import type { AcceptBasis } from '../src/trust/evidence.ts';
import { endpointNameOf, isSet, textOf, usage } from './args.ts';
import { faultLines } from './certificate-lines.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withOperator } from './command.ts';
import type { Io } from './io.ts';
import { facts } from './table.ts';

/** So many are asked for at once; the daemon has its own bound. */
const atOnce = 4;

const probe: Run = async (args, io) => {
  const all = isSet(args, 'all');
  if (all === (textOf(args, 'endpoint') !== null))
    throw usage(
      'name one endpoint, or give --all',
      'letterlock probe imap.example.org:993, or letterlock probe --all',
    );
  const { withDaemonOf } = await import('./operator.ts');
  return withDaemonOf({ args, io }, async (operator) => {
    if (all) return probeAll(operator, { io, json: isSet(args, 'json') });
    const seen = await operator.probe(endpointNameOf(args));
    if (isSet(args, 'json')) io.printJson(seen);
    else io.print(...probeLines(seen));
    return exitOf([seen]);
  });
};

/** Told in the order of their names, each as soon as it and those before it are known. */
async function probeAll(
  operator: Operator,
  { io, json }: { readonly io: Io; readonly json: boolean },
): Promise<ExitName> {
  const rows = await operator.endpoints();
  const names = rows.filter(({ configured }) => configured).map(({ endpoint }) => endpoint);
  if (names.length === 0) throw new CommandError('not-found', 'no server is configured');
  const waiting = [...names];
  const seen = new Map<string, ProbeShape>();
  let told = 0;
  const ask = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      seen.set(name, await operator.probe(name));
      for (let next = seen.get(names[told] ?? ''); next !== undefined; next = seen.get(names[told] ?? '')) {
        if (!json) io.print(...probeLines(next));
        told += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  const probes = names.flatMap((name) => seen.get(name) ?? []);
  if (json) io.printJson(probes);
  return exitOf(probes);
}

/** A refusal outweighs a server that could not be asked. */
function exitOf(probes: readonly ProbeShape[]): ExitName {
  if (probes.some(({ result }) => result === 'refused')) return 'refused';
  return probes.some(({ result }) => result === 'failed') ? 'network' : 'done';
}

const bases: Readonly<Record<AcceptBasis, string>> = {
  ca: 'accepted: verified by a CA',
  pin: 'accepted: pinned key, no CA involved',
  dane: 'accepted: verified by DANE',
  'first-use':
    'NOT KNOWN: a client would make this key a first use; nobody verified it, and nothing was pinned now',
};

function probeLines(seen: ProbeShape): readonly string[] {
  const { endpoint, spki, faults, certificate, ref, reason, result } = seen;
  return [
    `${endpoint}  ${outcomeOf(seen)} (${seen.seconds.toFixed(2)} s)`,
    ...facts([
      ...(spki === null ? [] : [['key', spki] as const]),
      ...(certificate === null
        ? []
        : [
            ['subject', certificate.subject] as const,
            ['issuer', certificate.issuer] as const,
            ['until', certificate.notAfter ?? 'cannot be read'] as const,
          ]),
    ]),
    ...(result === 'refused' ? faultLines(faults) : []),
    ...(result === 'refused' ? [`  Run: letterlock explain ${ref ?? reason ?? ''}`] : []),
  ];
}

function outcomeOf({ verdict, reason, result }: ProbeShape): string {
  if (result === 'accepted' && verdict !== null && verdict !== 'refused') return bases[verdict];
  if (reason === null) return result;
  if (isFailure(reason)) return `FAILED: ${failures[reason].cause} (${reason})`;
  return `REFUSED: ${refusals[reason].cause} (${reason})`;
}

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .positional('endpoint', { type: 'string', describe: 'HOST:PORT of a configured server' })
    .option('all', { type: 'boolean', describe: 'every configured server' })
    .usage(
      'Usage: $0 probe ENDPOINT|--all\n\nHas the daemon ask a server now, without a mail client: the handshake of a session, its verdict, and nothing else. ' +
        'No key is pinned by it; a refused one becomes a candidate. Exits 0 when every server is accepted, 4 when one is refused, 5 when one cannot be asked.',
    )
    .example('$0 probe imap.example.org:993', 'is the key still the one we know?')
    .example('$0 probe --all --json', 'of every configured server, for a script');

export const probeCommand: CommandModule = { build, run: probe };
