// Opens an address in the user's browser: the system's own opener, given the address as one argument, never a
// shell. Where there is no screen, or for root, whose browser is nobody's, nothing is opened.

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

export interface Desktop {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  /** null where there are no uids. */
  readonly uid: number | null;
}

/** How long an opener may take to say that it cannot. */
const failsWithinMs = 3000;

/** The command that opens an address; null where nothing should be opened. */
export function openerOf({ platform, env, uid }: Desktop): readonly string[] | null {
  if (uid === 0) return null;
  if (platform === 'darwin') return env['SSH_CONNECTION'] === undefined ? ['/usr/bin/open'] : null;
  if (platform === 'win32') {
    const system = env['SystemRoot'] ?? 'C:\\Windows';
    return [`${system}\\System32\\rundll32.exe`, 'url.dll,FileProtocolHandler'];
  }
  const screen = env['WAYLAND_DISPLAY'] || env['DISPLAY'];
  const program = screen === undefined || screen === '' ? null : findProgram('xdg-open', env);
  return program === null ? null : [program];
}

/** Absolute folders of PATH only: what lies in the folder one happens to be in is not the system's. */
function findProgram(name: string, env: NodeJS.ProcessEnv): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  return (
    folders
      .map((folder) => join(folder, name))
      .find((path) => {
        try {
          accessSync(path, constants.X_OK);
          return true;
        } catch {
          return false;
        }
      }) ?? null
  );
}

/** Whether it was opened, as far as the opener tells in a few seconds. Never rejects. */
export function openInBrowser(
  opener: readonly string[],
  url: string,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const [program = '', ...args] = opener;
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { env, stdio: 'ignore', detached: true });
    const timer = setTimeout(() => resolve(true), failsWithinMs);
    const done = (opened: boolean): void => {
      clearTimeout(timer);
      resolve(opened);
    };
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0));
    child.unref();
  });
}
