// Who may read and write what letterlock relies on. Whoever writes the state writes pins; whoever reads the
// configuration may read the passwords of proxies in it.

import { finding, type Finding } from '../finding.ts';

export interface FileFacts {
  readonly path: string;
  readonly kind: 'state' | 'store' | 'socket' | 'configuration' | 'key' | 'password';
  /** Permission bits; null where it is not there. */
  readonly mode: number | null;
  readonly uid: number | null;
  /** It holds what others must not read. */
  readonly secret: boolean;
  /** Why it cannot be looked at; null where it can. */
  readonly error: string | null;
}

export interface PermissionFacts {
  readonly files: readonly FileFacts[];
  /** Of whoever runs the doctor, and, where one runs, of the daemon; null where the system has no such thing. */
  readonly uids: readonly number[] | null;
}

export function checkPermissions({ files, uids }: PermissionFacts): readonly Finding[] {
  const there = files.filter(({ mode, error }) => mode !== null || error !== null);
  const found = there.flatMap((file) => [...modeFindings(file), ...ownerFindings(file, uids)]);
  if (found.length > 0) return found;
  const names = there.length === 0 ? 'nothing is there yet' : there.map(({ path }) => path).join(', ');
  return [finding('permissions', 'ok', { message: `open to nobody who should not: ${names}` })];
}

function modeFindings({ path, kind, mode, secret, error }: FileFacts): readonly Finding[] {
  if (error !== null)
    return [
      finding('permissions', 'note', {
        message: `${path} cannot be looked at (${error})`,
        advice: 'Run: sudo letterlock doctor',
      }),
    ];
  if (mode === null) return [];
  const written = mode.toString(8).padStart(4, '0');
  if ((mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && kind !== 'socket' && kind !== 'configuration'))
    return [
      finding('permissions', 'fault', {
        message: `${path} has mode ${written}: others may write to it`,
        meaning:
          kind === 'socket'
            ? 'Every user of this machine may approve keys.'
            : 'Whoever may write to it decides what letterlock trusts.',
        advice: `chmod ${wanted(kind)} ${path}`,
      }),
    ];
  if (secret && (mode & 0o004) !== 0)
    return [
      finding('permissions', 'warning', {
        message: `${path} has mode ${written}: every user of this machine can read it`,
        meaning: kind === 'configuration' ? 'It holds the password of a proxy.' : 'It holds a secret.',
        advice: `chmod ${wanted(kind)} ${path}`,
      }),
    ];
  if ((kind === 'state' || kind === 'store') && (mode & 0o077) !== 0)
    return [
      finding('permissions', 'note', {
        message: `${path} has mode ${written}; the next start closes it to ${wanted(kind)}`,
      }),
    ];
  return [];
}

const wanted = (kind: FileFacts['kind']): string => {
  switch (kind) {
    case 'state':
      return '700';
    case 'configuration':
      return '640';
    case 'store':
    case 'socket':
    case 'key':
    case 'password':
      return '600';
  }
};

/** Root may be anybody's owner. */
function ownerFindings({ path, kind, uid }: FileFacts, uids: readonly number[] | null): readonly Finding[] {
  if (uid === null || uids === null || kind !== 'state' || uids.includes(uid) || uids.includes(0)) return [];
  return [
    finding('permissions', 'warning', {
      message: `${path} belongs to uid ${uid}, and you are uid ${uids[0] ?? 0}`,
      meaning: 'letterlock opens a state of its own user only.',
      advice: 'Run letterlock as that user, or name another directory: --state DIR.',
    }),
  ];
}
