// Names of users, looked up once, when the configuration is read: whom a route serves must not change because a
// name service answers differently. Only /etc/passwd is asked; for other users there is the uid.

import { readFile } from 'node:fs/promises';
import type { ConfigProblem } from '../config.ts';
import type { Draft } from './drafts.ts';
import { nearest } from './nearest.ts';
import { problemAt } from './problem.ts';

const userFile = '/etc/passwd';

export async function readUsers(drafts: readonly Draft[]): Promise<{
  readonly users: ReadonlyMap<string, number>;
  readonly problems: readonly ConfigProblem[];
}> {
  const named = drafts.flatMap((draft) =>
    (draft.raw.allowUsers ?? []).flatMap((user, at) =>
      typeof user === 'string' ? [{ user, place: draft.place('allowUsers', at) }] : [],
    ),
  );
  if (named.length === 0) return { users: new Map(), problems: [] };
  const text = await readFile(userFile, 'utf8').catch(() => null);
  const users = usersIn(text ?? '');
  const problems = named.flatMap(({ user, place }) => {
    if (users.has(user)) return [];
    const near = nearest(user, [...users.keys()]);
    return text === null
      ? [problemAt(place, `${userFile} cannot be read, to find the user ${user}`, 'write the uid')]
      : [
          problemAt(
            place,
            `there is no user ${JSON.stringify(user)} in ${userFile}`,
            near === null ? 'write the uid, without quotes: id -u tells it' : `did you mean ${near}?`,
          ),
        ];
  });
  return { users, problems };
}

/** Name and uid of every line of passwd(5); the first of a name counts, as everywhere. */
function usersIn(passwd: string): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && /^\d{1,10}$/.test(uid) && !users.has(name)) users.set(name, Number(uid));
  }
  return users;
}
