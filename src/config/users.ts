// Names of users, looked up once, when the configuration is read: whom a route serves must not change because a
// name service answers differently. Only /etc/passwd is asked; for other users there is the uid.

import { readFile } from 'node:fs/promises';
import type { ConfigProblem } from '../config.ts';
import { overflowUid } from '../proxy/strangers.ts';
import type { Draft } from './drafts.ts';
import { nearest } from './nearest.ts';
import { problemAt, type Place } from './problem.ts';

const userFile = '/etc/passwd';

interface Listed {
  readonly user: string | number;
  readonly place: Place;
}

export async function readUsers(drafts: readonly Draft[]): Promise<{
  readonly users: ReadonlyMap<string, number>;
  readonly problems: readonly ConfigProblem[];
}> {
  const listed = drafts.flatMap((draft) =>
    (draft.raw.allowUsers ?? []).map((user, at) => ({ user, place: draft.place('allowUsers', at) })),
  );
  const named = listed.some(({ user }) => typeof user === 'string');
  const text = named ? await readFile(userFile, 'utf8').catch(() => null) : '';
  const users = usersIn(text ?? '');
  const problems = listed.flatMap((each) => {
    const uid = typeof each.user === 'number' ? each.user : users.get(each.user);
    if (uid === overflowUid) return [neverServed(each)];
    return uid === undefined ? [text === null ? unreadable(each) : unknown(each, users)] : [];
  });
  return { users, problems };
}

const neverServed = ({ user, place }: Listed): ConfigProblem =>
  problemAt(
    place,
    `${user} is the user ${overflowUid}, who is never served: the kernel shows every user it has no number for as that one`,
    'run the program as a user of its own and name that one',
  );

const unreadable = ({ user, place }: Listed): ConfigProblem =>
  problemAt(place, `${userFile} cannot be read, to find the user ${user}`, 'write the uid');

function unknown({ user, place }: Listed, users: ReadonlyMap<string, number>): ConfigProblem {
  const near = nearest(String(user), [...users.keys()]);
  return problemAt(
    place,
    `there is no user ${JSON.stringify(user)} in ${userFile}`,
    near === null ? 'write the uid, without quotes: id -u tells it' : `did you mean ${near}?`,
  );
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
