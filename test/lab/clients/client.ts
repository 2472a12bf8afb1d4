// What every driver of a real mail client is: a name, where it connects, what it brings back. A driver runs
// the client in a home folder of its own, with a deadline, and never decides whether a test passed.

import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { account } from '../dovecot.ts';
import { temporaryFolder } from '../folder.ts';
import { cleanEnvironment, run, type Ran } from '../run.ts';

/** How a client protects the connection itself. */
export type TlsMode = 'starttls' | 'implicit';
export const bothModes: readonly TlsMode[] = ['starttls', 'implicit'];

/** Where a client is told to connect, and how. */
export interface Where {
  readonly host: string;
  readonly port: number;
  readonly tls: 'none' | TlsMode;
  /** CA the client is told to trust; used with TLS only. */
  readonly caFile: string;
}

/** What the person in front of the client sees, and how the client ended. */
export interface Seen {
  readonly exit: number | null;
  readonly shown: string;
}

export interface Fetched extends Seen {
  /** The messages as the client stored them, in no particular order. */
  readonly messages: readonly Buffer[];
}

export interface Reader {
  readonly name: string;
  readonly protocol: 'imap' | 'pop3' | 'sieve';
  /** The text of a refusal reaches the person: whole, in capitals, or not at all. */
  readonly showsRefusal: 'whole' | 'capitals' | 'no';
  /** How it ends when it was refused; null where that says nothing. */
  readonly refusedExit: number | null;
  /** The TLS it can do itself. */
  readonly modes: readonly TlsMode[];
  /**
   * How it reads without letterlock: over TLS of its own, or in clear through a tunnel that knows no protocol,
   * where what it stores depends on its own leg being TLS or not.
   */
  readonly alone: TlsMode | 'tunnel';
  read(where: Where): Promise<Fetched>;
}

export interface Sender {
  readonly name: string;
  /** LMTP takes no password and delivers straight into the mailbox. */
  readonly protocol: 'smtp' | 'lmtp';
  /** The text of a refusal reaches the person: whole, its start (the cause), or not at all. */
  readonly showsRefusal: 'whole' | 'start' | 'no';
  readonly refusedExit: number | null;
  /** The TLS it can do itself. */
  readonly modes: readonly TlsMode[];
  /** The TLS of its own with which it sends without letterlock. */
  readonly alone: TlsMode;
  /** Hands over the bytes as they are; false: it composes a message around them. */
  readonly verbatim: boolean;
  /** Its message, as text, without what it makes up anew or puts in another order each time. */
  steady?(text: string): string;
  /** It takes too long over bigger messages. */
  readonly atMostBytes?: number;
  /** `message` ends its lines in LF. */
  send(where: Where, message: Buffer): Promise<Seen>;
}

export const { user, password } = account;
export const userInfo = `${user}:${encodeURIComponent(password)}`;
/** What letterlock says in place of a server; a terminal that shows it has nothing more to wait for. */
export const ownWords = /letterlock (?:refused|could not)/i;
export const recipient = 'alice@lab.test';
export const sender = 'bob@lab.test';

/** The home folder of one run of a client. */
export interface Home {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  file(name: string): string;
  write(name: string, content: string | Uint8Array, mode?: number): Promise<string>;
  folder(name: string): Promise<string>;
  run(command: readonly string[], input?: string | Uint8Array): Promise<Ran>;
}

/** Makes a home folder for `work` and removes it afterwards. */
export async function atHome<T>(work: (home: Home) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  const env = cleanEnvironment(folder.path);
  const file = (name: string): string => join(folder.path, name);
  try {
    return await work({
      path: folder.path,
      env,
      file,
      write: async (name, content, mode = 0o600) => {
        await mkdir(dirname(file(name)), { recursive: true });
        await writeFile(file(name), content, { mode });
        return file(name);
      },
      folder: async (name) => {
        await mkdir(file(name), { recursive: true });
        return file(name);
      },
      run: (command, input) =>
        run(command, { env, cwd: folder.path, input: input ?? '', deadlineMs: 60_000 }),
    });
  } finally {
    await folder.remove();
  }
}

/** Every file of a folder, by name; none when there is no such folder. */
export async function filesOf(folder: string): Promise<readonly Buffer[]> {
  const names = await readdir(folder).catch(() => []);
  return Promise.all(
    names.toSorted((a, b) => a.localeCompare(b)).map((name) => readFile(join(folder, name))),
  );
}

export const crlf = (message: Buffer): Buffer =>
  Buffer.from(message.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
