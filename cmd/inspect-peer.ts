// One handshake with a server, by the code a session uses, and closed at once. An error says which phase it was.

import { CommandError, Failure, Refusal } from '../src/errors.ts';
import type { AnchorSet } from '../src/net/anchors.ts';
import { DialFailure } from '../src/net/dial.ts';
import { Lookups } from '../src/net/lookups.ts';
import { FailedLately } from '../src/proxy/failed-lately.ts';
import { reach, type Ways } from '../src/proxy/reach.ts';
import { targetDeskOf, type TargetDesk } from '../src/proxy/route-desk.ts';
import { nameToAsk } from '../src/proxy/tlsa-asking.ts';
import { Turns } from '../src/proxy/turns.ts';
import { secure } from '../src/proxy/upstream.ts';
import type { Route } from '../src/proxy/route.ts';
import type { TlsaAnswer } from '../src/trust/dane.ts';
import type { Peer } from '../src/trust/evidence.ts';

/** @throws CommandError `network` for a failure, `refused` for a refusal before a certificate was seen */
export async function peerOf(
  route: Route,
  anchors: AnchorSet,
  tlsa: Promise<TlsaAnswer | null>,
): Promise<Peer> {
  const options = { target: route, anchors, signal: new AbortController().signal, on: () => undefined };
  const targets: Ways['targets'] = [targetDeskOf(route, anchors)];
  const desk = { route, targets, dials: new Turns(1), failedTargets: new FailedLately<TargetDesk>() };
  let phase = 'connecting';
  try {
    const { raw } = await reach(desk, { ...options, lookups: new Lookups(), admitted: () => undefined });
    phase = route.upstreamTls === 'starttls' ? 'STARTTLS and TLS handshake' : 'TLS handshake';
    const serverName = nameToAsk(route.trust, await tlsa);
    const { socket, peer } = await secure(raw, route, { ...options, serverName });
    socket.destroy();
    return peer;
  } catch (error) {
    throw inPhase(error, phase, route);
  }
}

function inPhase(error: unknown, phase: string, { endpoint, addresses: [address, ...more] }: Route): unknown {
  if (!(error instanceof Failure) && !(error instanceof Refusal)) return error;
  const detail = detailOf(error);
  const where =
    address === undefined || more.length > 0
      ? endpoint.name
      : `${endpoint.name} (at ${address.host}:${address.port})`;
  const message = `${where}, ${phase}: ${error.message}${detail === null ? '' : ` (${detail})`}`;
  return new CommandError(error instanceof Refusal ? 'refused' : 'network', message, {
    code: error.code,
    cause: error,
    ...(error.hint === null ? {} : { hint: error.hint }),
  });
}

function detailOf(error: Failure | Refusal): string | null {
  if (error instanceof DialFailure) return error.detail;
  return error.cause instanceof Error ? error.cause.message : null;
}
