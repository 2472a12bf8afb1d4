// `letterlock inspect`: one handshake, and everything there is to say about it. It sends no credential, writes
// nothing to the store, and what it prints may come from an impostor.

import type { Argv } from 'yargs';
import type { PinsRow } from '../src/admin/shapes.ts';
import { CommandError } from '../src/errors.ts';
import { loadWithCrls } from '../src/daemon/anchor-sets.ts';
import type { AnchorSet } from '../src/net/anchors.ts';
import { readBuild } from '../src/ops/build.ts';
import type { Route } from '../src/proxy/route.ts';
import { policies } from '../src/trust/evidence.ts';
import type { Evidence, Examined, Peer, Policy, Verdict } from '../src/trust/evidence.ts';
import { Examiner } from '../src/trust/examine.ts';
import { matchesFingerprint, requireFingerprint } from '../src/trust/fingerprint.ts';
import { judge } from '../src/trust/policy.ts';
import { asUsage, isSet, textOf } from './args.ts';
import type { Args } from './args.ts';
import type { CommandModule, Run } from './command.ts';
import { withOperator } from './command.ts';
import { peerOf } from './inspect-peer.ts';
import { inspectionLines } from './inspect-lines.ts';
import { routeToInspect } from './inspect-target.ts';
import type { Io } from './io.ts';
import { operatorOf } from './operator.ts';
import { configPinsOfRow, recordOfRow } from './record-of-row.ts';
import { configFor } from './settings.ts';
import type { GoodConfig } from './settings.ts';

/** Everything found out, for both forms of output. */
export interface Inspection {
  readonly route: Route;
  readonly peer: Peer;
  readonly examined: Examined;
  /** What is remembered of the endpoint; null without a store. */
  readonly row: PinsRow | null;
  readonly verdicts: Readonly<Record<Policy, Verdict>>;
  /** Whether the key or certificate is the one of --expect; null when none was given. */
  readonly expected: boolean | null;
  readonly good: boolean;
}

const inspect: Run = async (args, io) => {
  const expect = textOf(args, 'expect');
  if (expect !== null) asUsage(() => requireFingerprint(expect));
  const config = await configFor(args, io, { urls: [], needsRoutes: false });
  const route = await routeToInspect(args, io, config.config);
  const anchors = await loadWithCrls(route);
  const [row, peer] = await Promise.all([rowOf(route, { args, io, config }), peerOf(route, anchors)]);
  const inspection = conclude({ route, anchors, row, peer, expect, now: io.now() });
  if (isSet(args, 'json')) io.printJson(inspectionShape(inspection));
  else io.print(...inspectionLines(inspection));
  return inspection.good ? 'done' : 'refused';
};

interface Found {
  readonly route: Route;
  readonly anchors: AnchorSet;
  readonly row: PinsRow | null;
  readonly peer: Peer;
  readonly expect: string | null;
  readonly now: number;
}

function conclude({ route, anchors, row, peer, expect, now }: Found): Inspection {
  const examined = new Examiner().examine(peer.chain, {
    anchors,
    endpoint: route.endpoint,
    chainError: peer.chainError,
    profile: peer.tls.profile,
    staple: peer.staple,
    now,
    clockSuspect: now < readBuild().builtAt,
  });
  const evidence = evidenceOf({ route, anchors, row, peer, expect, now }, examined);
  const verdicts = verdictsOf(evidence);
  const sha256 = examined.chain[0]?.sha256 ?? null;
  const expected = expect === null ? null : matchesFingerprint(expect, { spki: peer.spki, sha256 });
  const pinned = judge(withPolicy(evidence, 'pinned'));
  const rejected = verdicts.ca.accept ? false : verdicts.ca.reason === 'key-rejected';
  return {
    route,
    peer,
    examined,
    row,
    verdicts,
    expected,
    good: !rejected && (examined.caValid || pinned.accept || expected === true),
  };
}

function evidenceOf({ route, anchors, row, peer, now }: Found, examined: Examined): Evidence {
  const configPins = [...new Set([...route.trust.configPins, ...(row === null ? [] : configPinsOfRow(row))])];
  const damaged = row?.state === 'damaged';
  return {
    endpoint: route.endpoint.name,
    settings: { ...route.trust, configPins },
    now,
    spki: peer.spki,
    resumed: peer.resumed,
    profile: peer.tls.profile,
    examined: peer.chain.length === 0 ? null : examined,
    anchors: anchors.certificates.length,
    record: row === null || damaged ? null : recordOfRow(row),
    recordVerified: !damaged,
    store: damaged ? 'damaged' : 'good',
    sealed: { rejected: new Set(row?.rejected), until: new Map() },
  };
}

const withPolicy = (evidence: Evidence, policy: Policy): Evidence => ({
  ...evidence,
  settings: { ...evidence.settings, policy },
});

function verdictsOf(evidence: Evidence): Readonly<Record<Policy, Verdict>> {
  const of = (policy: Policy): Verdict => judge(withPolicy(evidence, policy));
  return { auto: of('auto'), ca: of('ca'), tofu: of('tofu'), 'ca+tofu': of('ca+tofu'), pinned: of('pinned') };
}

/** The remembered row; null where there is no store, or nothing in it about this endpoint. */
async function rowOf(
  route: Route,
  { args, io, config }: { readonly args: Args; readonly io: Io; readonly config: GoodConfig },
): Promise<PinsRow | null> {
  try {
    const operator = await operatorOf({ args, io, needs: { create: 'never' } }, config);
    try {
      return await operator.pin(route.endpoint.name);
    } finally {
      await operator.close();
    }
  } catch (error) {
    if (error instanceof CommandError && (error.exit === 'not-found' || error.code === 'store-missing'))
      return null;
    throw error;
  }
}

const inspectionShape = ({
  route,
  peer,
  examined,
  row,
  verdicts,
  expected,
}: Inspection): Record<string, unknown> => ({
  endpoint: route.endpoint.name,
  tls: peer.tls,
  leaf: examined.chain[0] ?? null,
  chain: examined.chain,
  caValid: examined.caValid,
  faults: examined.faults,
  store: row === null ? 'none' : 'used',
  record: row,
  expected,
  verdicts: Object.fromEntries(policies.map((policy) => [policy, verdictShape(verdicts[policy])])),
});

const verdictShape = (verdict: Verdict): Record<string, unknown> =>
  verdict.accept ? { accept: true, basis: verdict.basis } : { accept: false, reason: verdict.reason };

const build = (parser: Argv): Argv =>
  withOperator(parser)
    .positional('target', { type: 'string', demandOption: true, describe: 'URL or HOST:PORT' })
    .option('address', { type: 'string', requiresArg: true, describe: 'connect to this HOST:PORT instead' })
    .option('proxy', {
      type: 'string',
      requiresArg: true,
      describe: 'go through socks5://[USER:PASSWORD@]HOST[:PORT] or http://…',
    })
    .option('ca-file', {
      type: 'string',
      requiresArg: true,
      describe: 'trust anchors: a PEM file, or system,FILE',
    })
    .option('expect', {
      type: 'string',
      requiresArg: true,
      describe: 'full fingerprint of the key or certificate',
    })
    .usage(
      'Usage: $0 inspect URL|HOST:PORT\n\nMakes one TLS handshake and shows chain, names, faults, the record and what each policy would say.\n' +
        'Exit 0 when CA-verified, a live pin matches or --expect matches; 4 otherwise; 5 when no handshake came about.',
    )
    .example('$0 inspect imaps://imap.example.org', 'TLS at once')
    .example('$0 inspect mail.example.org:587', 'STARTTLS, by the port')
    .example('$0 inspect imap.example.org:993 --expect sha256//BASE64=', 'compares for you');

export const inspectCommand: CommandModule = { build, run: inspect };
