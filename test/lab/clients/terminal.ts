// A client that wants a terminal gets one of its own (tmux); what stands on its screen is what a person sees.

import { until } from '../wait.ts';
import type { Home } from './client.ts';

const deadlineMs = 60_000;

export interface Terminal {
  /** Types these characters as they are. */
  type(text: string): Promise<void>;
  /** Presses a key by tmux's name for it: `Enter`, `C-k`. */
  press(key: string): Promise<void>;
  /** Makes the program draw its screen anew: the window changes its size. */
  redraw(): Promise<void>;
  /** Waits until the screen shows this, or the program ended; the screen. */
  see(what: RegExp): Promise<string>;
  /** Waits until this is so in the world, or the program ended; the screen. */
  until(what: string, done: (screen: string) => Promise<boolean>): Promise<string>;
  /** Waits until the program ended; its last screen. */
  end(): Promise<string>;
}

/** Runs `command` in a terminal of 200 by 40 for as long as `work` lasts. Its home has to be `home`. */
export async function inTerminal<T>(
  home: Home,
  command: readonly string[],
  work: (terminal: Terminal) => Promise<T>,
): Promise<T> {
  const tmux = ['tmux', '-S', home.file('tmux'), '-f', '/dev/null'];
  const quoted = command.map((word) => `'${word.replaceAll(`'`, String.raw`'\''`)}'`).join(' ');
  await home.run([...tmux, 'new-session', '-d', '-x', '200', '-y', '40', quoted]);
  let screen = '';
  let width = 200;
  const wait = async (what: string, done: (now: string) => boolean | Promise<boolean>): Promise<string> => {
    await until(
      what,
      async () => {
        const { exit, stdout } = await home.run([...tmux, 'capture-pane', '-p']);
        if (exit === 0) screen = stdout.toString('utf8');
        return exit !== 0 || (await done(screen));
      },
      deadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`the terminal shows:\n${screen}`, { cause: error });
    });
    return screen;
  };
  try {
    return await work({
      // In hexadecimal: tmux takes a semicolon for the end of its own command.
      type: async (text) => {
        const codes = Array.from(Buffer.from(text), (byte) => byte.toString(16));
        await home.run([...tmux, 'send-keys', '-H', ...codes]);
      },
      press: async (key) => {
        await home.run([...tmux, 'send-keys', key]);
      },
      redraw: async () => {
        width = width === 200 ? 199 : 200;
        await home.run([...tmux, 'resize-window', '-x', String(width)]);
      },
      see: (what) => wait(`${command[0]} to show ${what}`, (now) => what.test(now)),
      until: wait,
      end: () => wait(`${command[0]} to end`, () => false),
    });
  } finally {
    await home.run([...tmux, 'kill-server']);
  }
}
