// Do the pins outlive what runs here? In a container whose disk is thrown away each restart is a first use again,
// which is the one moment in which nobody can tell a server from an impostor.

import type { Policy } from '../../trust/evidence.ts';
import { finding, type Finding } from '../finding.ts';

export interface ContainerFacts {
  /** What it is known by (`/.dockerenv`); null outside of one. */
  readonly container: string | null;
  readonly state: string;
  /** Of the state directory, or of the nearest folder that is there: `overlay`, `tmpfs`, `ext4`; null where it cannot be told. */
  readonly filesystem: string | null;
  /** Where that is mounted. */
  readonly mountedAt: string | null;
  readonly policies: readonly Policy[];
}

const inMemory: ReadonlySet<string> = new Set(['tmpfs', 'ramfs']);
const layered: ReadonlySet<string> = new Set(['overlay', 'aufs', 'fuse-overlayfs']);
/** Policies under which a lost pin is a first use. */
const learning: ReadonlySet<Policy> = new Set<Policy>(['auto', 'tofu', 'ca+tofu']);

export function checkContainer(facts: ContainerFacts): readonly Finding[] {
  const { container, state, filesystem, policies } = facts;
  const lost = lostAt(facts);
  const inside = container === null ? '' : `in a container (${container}); `;
  if (lost === null)
    return [
      finding('container', 'ok', {
        message: `${inside}${state} is on ${filesystem ?? 'a disk of unknown kind'}, which stays`,
      }),
    ];
  const learns = policies.length === 0 || policies.some((policy) => learning.has(policy));
  const message = `${inside}${state} is on ${filesystem ?? ''}, which is lost ${lost}`;
  if (!learns)
    return [
      finding('container', 'note', {
        message,
        meaning:
          'No configured policy learns a key by itself; rejections, approvals and the audit log go all the same.',
      }),
    ];
  return [
    finding('container', 'warning', {
      message,
      meaning:
        'Each time every server that no CA vouches for is a first use again: whoever is in between at that moment is pinned.',
      advice:
        'Put the state on a volume (--state DIR), or give the keys in the configuration: trust: pinned with pins:, or firstUse: refuse.',
    }),
  ];
}

/** When; null where it stays. */
function lostAt({ container, filesystem, mountedAt }: ContainerFacts): string | null {
  if (filesystem === null) return null;
  if (inMemory.has(filesystem))
    return container === null ? 'when the machine restarts' : 'with the container';
  // Whatever is no mount of its own is the container's. Outside of one, layers are those of a system that keeps them.
  const own = layered.has(filesystem) || mountedAt === '/';
  return container !== null && own ? 'with the container' : null;
}
