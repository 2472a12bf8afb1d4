// `letterlock inspect`: one handshake, and everything there is to say about it. It sends no credential, writes
// nothing to the store, and what it prints may come from an impostor.

import type { PinsRow } from '../src/admin/shapes.ts';
import { CommandError } from '../src/errors.ts';
import { loadWithCrls } from '../src/daemon/anchor-sets.ts';
import type { AnchorSet } from '../src/net/anchors.ts';
import { openTlsa } from '../src/net/open-tlsa.ts';
import { readBuild } from '../src/ops/build.ts';
import type { Route } from '../src/proxy/route.ts';
import { daneResult, type DaneResult, type TlsaAnswer } from '../src/trust/dane.ts';
import { policies } from '../src/trust/evidence.ts';
import type { Evidence, Examined, Peer, Policy, Verdict } from '../src/trust/evidence.ts';
import { Examiner } from '../src/trust/examine.ts';
import { matchesFingerprint, requireFingerprint } from '../src/trust/fingerprint.ts';
import { judge } from '../src/trust/policy.ts';
import { asUsage, isSet, textOf } from './args.ts';
import type { Args } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
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
  /** What TLSA records say of the chain; null where no resolver is configured. */
  readonly dane: DaneResult | null;
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
  const tlsa = await openTlsa(config.config.resolver, io.now);
  const asked = tlsa?.find(route.endpoint) ?? Promise.resolve(null);
  const [row, peer, answer] = await Promise.all([
    rowOf(route, { args, io, config }),
    peerOf(route, anchors, asked),
    asked,
  ]);
  const inspection = conclude({ route, anchors, row, peer, tlsa: answer, expect, now: io.now() });
  if (isSet(args, 'json')) io.printJson(inspectionShape(inspection));
  else io.print(...inspectionLines(inspection));
  return inspection.good ? 'done' : 'refused';
};

interface Found {
  readonly route: Route;
  readonly anchors: AnchorSet;
  readonly row: PinsRow | null;
  readonly peer: Peer;
  readonly tlsa: TlsaAnswer | null;
  readonly expect: string | null;
  readonly now: number;
}

function conclude(found: Found): Inspection {
  const { route, anchors, row, peer, expect, now } = found;
  const examiner = new Examiner();
  const clockSuspect = now < readBuild().builtAt;
  const examined = examiner.examine(peer.chain, {
    anchors,
    endpoint: route.endpoint,
    chainError: peer.chainError,
    profile: peer.tls.profile,
    staple: peer.staple,
    now,
    clockSuspect,
  });
  const presented = { chain: peer.chain, endpoint: route.endpoint, now, clockSuspect, examiner };
  const dane = found.tlsa === null ? null : daneResult(found.tlsa, presented);
  const evidence = evidenceOf(found, { examined, dane });
  const verdicts = verdictsOf(evidence);
  const sha256 = examined.chain[0]?.sha256 ?? null;
  const expected = expect === null ? null : matchesFingerprint(expect, { spki: peer.spki, sha256 });
  const own = verdicts[route.trust.policy];
  const refused = isRejected(verdicts.ca) || isRefusedByDane(own);
  const vouched = examined.caValid || verdicts.pinned.accept || (own.accept && own.basis === 'dane');
  return {
    route,
    peer,
    examined,
    row,
    dane,
    verdicts,
    expected,
    good: !refused && (vouched || expected === true),
  };
}

const isRejected = (verdict: Verdict): boolean => !verdict.accept && verdict.reason === 'key-rejected';

/** Sessions are refused whatever else speaks for the key: a script that asks must not hear yes. */
const isRefusedByDane = (verdict: Verdict): boolean =>
  !verdict.accept && (verdict.reason === 'dane-mismatch' || verdict.reason === 'dane-unproven');

function evidenceOf(
  { route, anchors, row, peer, now }: Found,
  { examined, dane }: Pick<Inspection, 'examined' | 'dane'>,
): Evidence {
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
    dane,
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
  return {
    auto: of('auto'),
    ca: of('ca'),
    tofu: of('tofu'),
    'ca+tofu': of('ca+tofu'),
    pinned: of('pinned'),
    dane: of('dane'),
  };
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
  dane,
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
  dane: dane ?? { state: 'none', detail: 'no resolver is configured' },
  expected,
  verdicts: Object.fromEntries(policies.map((policy) => [policy, verdictShape(verdicts[policy])])),
});

const verdictShape = (verdict: Verdict): Record<string, unknown> =>
  verdict.accept ? { accept: true, basis: verdict.basis } : { accept: false, reason: verdict.reason };

const build = (parser: Parser): Parser =>
  withOperator(parser)
    .positional('target', { type: 'string', demandOption: true, describe: 'URL or HOST:PORT' })
    .option('address', { type: 'string', requiresArg: true, describe: 'connect to this HOST:PORT instead' })
    .option('proxy', {
      type: 'string',
      requiresArg: true,
      describe: 'go through socks5://[USER:PASSWORD@]HOST[:PORT] or http://…',
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
    .option('expect', {
      type: 'string',
      requiresArg: true,
      describe: 'full fingerprint of the key or certificate',
    })
    .usage(
      'Usage: $0 inspect URL|HOST:PORT\n\nMakes one TLS handshake and shows chain, names, faults, the record and what each policy would say.\n' +
        'Exit 0 when CA-verified, a live pin or --expect matches, or the policy takes a proven TLSA record; 4 otherwise; 5 when no handshake came about.',
    )
    .example('$0 inspect imaps://imap.example.org', 'TLS at once')
    .example('$0 inspect mail.example.org:587', 'STARTTLS, by the port')
    .example('$0 inspect imap.example.org:993 --expect sha256//BASE64=', 'compares for you');

export const inspectCommand: CommandModule = { build, run: inspect };
