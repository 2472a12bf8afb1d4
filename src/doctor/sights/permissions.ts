// Modes and owners of what letterlock keeps and reads.

import { lstat, stat } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import { pathsIn } from '../../store/directory.ts';
import type { FileFacts, PermissionFacts } from '../checks/permissions.ts';

export interface Kept {
  readonly config: Config;
  /** The configuration file; null where there is none. */
  readonly file: string | null;
  /** It holds passwords itself. */
  readonly fileHoldsPasswords: boolean;
  /** Files with passwords of proxies. */
  readonly passwordFiles: readonly string[];
  /** Of the daemon, where one runs. */
  readonly daemonUid: number | null;
}

type Wanted = Pick<FileFacts, 'path' | 'kind' | 'secret'>;

export async function seePermissions(kept: Kept): Promise<PermissionFacts> {
  const own = process.geteuid?.();
  const files = await Promise.all(wantedOf(kept).map(seeFile));
  const uids = own === undefined ? null : [own, ...(kept.daemonUid === null ? [] : [kept.daemonUid])];
  return { files, uids };
}

function wantedOf({ config, file, fileHoldsPasswords, passwordFiles }: Kept): readonly Wanted[] {
  const { database, seal, secret } = pathsIn(config.state);
  const keys = config.routes.flatMap(({ clientTls, clientCertificate }) => [
    ...(clientTls.files === null ? [] : [clientTls.files.key]),
    ...(clientCertificate === null ? [] : [clientCertificate.key]),
  ]);
  return [
    { path: config.state, kind: 'state', secret: true },
    ...[database, seal, secret].map((path) => ({ path, kind: 'store', secret: true }) as const),
    { path: config.admin.socket.path, kind: 'socket', secret: false },
    ...(file === null ? [] : [{ path: file, kind: 'configuration', secret: fileHoldsPasswords } as const]),
    ...[...new Set(keys)].map((path) => ({ path, kind: 'key', secret: true }) as const),
    ...[...new Set(passwordFiles)].map((path) => ({ path, kind: 'password', secret: true }) as const),
  ];
}

async function seeFile(wanted: Wanted): Promise<FileFacts> {
  try {
    const facts = wanted.kind === 'socket' ? await lstat(wanted.path) : await stat(wanted.path);
    return { ...wanted, mode: facts.mode & 0o7777, uid: facts.uid, error: null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const absent = code === 'ENOENT' || code === 'ENOTDIR';
    return { ...wanted, mode: null, uid: null, error: absent ? null : code };
  }
}
