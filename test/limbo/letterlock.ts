// What letterlock says of a case: a real handshake by the code a session uses, then the examination and the judge,
// under the policy that asks for a CA-verified certificate and nothing else.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'node:tls';
import type { Endpoint } from '../../src/endpoint.ts';
import { LetterlockError } from '../../src/errors.ts';
import { type AnchorSet, loadAnchors } from '../../src/net/anchors.ts';
import { handshake } from '../../src/net/handshake.ts';
import type { Peer } from '../../src/trust/evidence.ts';
import { Examiner } from '../../src/trust/examine.ts';
import { judge } from '../../src/trust/policy.ts';
import type { Case } from './corpus.ts';
import { dialled } from './server.ts';

export interface Answer {
  readonly accept: boolean;
  /** Faults; where there was no handshake, the code of its end. */
  readonly why: readonly string[];
}

const endpointOf = ({ name: { host, kind } }: Case): Endpoint => {
  return { name: `${host}:993`, host, port: 993, kind };
};

async function anchorsOf({ roots }: Case): Promise<AnchorSet> {
  const folder = await mkdtemp(join(tmpdir(), 'letterlock-limbo-'));
  try {
    const path = join(folder, 'roots.pem');
    await writeFile(path, roots.join('\n'));
    return await loadAnchors([path]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export async function letterlockSays(testcase: Case, server: Server): Promise<Answer> {
  const endpoint = endpointOf(testcase);
  try {
    const anchors = await anchorsOf(testcase);
    const options = { endpoint, anchors, deadlineMs: 10_000, signal: new AbortController().signal };
    const { socket, peer } = await handshake(await dialled(server), options);
    socket.destroy();
    return judged(peer, endpoint, anchors);
  } catch (error) {
    return { accept: false, why: [error instanceof LetterlockError ? error.code : 'unknown'] };
  }
}

function judged(peer: Peer, endpoint: Endpoint, anchors: AnchorSet): Answer {
  const now = Date.now();
  const { chainError, tls } = peer;
  const circumstances = { anchors, endpoint, chainError, profile: tls.profile, now, clockSuspect: false };
  const examined = new Examiner().examine(peer.chain, circumstances);
  const verdict = judge({
    endpoint: endpoint.name,
    settings: { policy: 'ca', firstUse: 'accept', configPins: [] },
    now,
    spki: peer.spki,
    resumed: peer.resumed,
    profile: tls.profile,
    examined,
    anchors: anchors.certificates.length,
    record: null,
    recordVerified: true,
    store: 'good',
    sealed: { rejected: new Set(), until: new Map() },
  });
  return { accept: verdict.accept, why: examined.faults };
}
