// What a command may touch of the process: its streams, environment and working directory. Results go to
// stdout, everything else to stderr. Text that may come from a certificate, a file or a server is escaped here,
// at the last moment, so that no command can forget it. There are no colours: states are words, and no escape
// sequence of ours has to be told from one that came with a certificate (NO_COLOR holds by itself).

import { basename } from 'node:path';
import { escapeText } from '../src/trust/escape.ts';
import type { Terminal } from './screen.ts';

export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly execArgv: readonly string[];
  readonly cwd: string;
  /** What the user typed after `letterlock`. */
  readonly words: readonly string[];
  /** How the user can call this program again, from anywhere. */
  readonly program: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Absent where stdout is none: then nothing is drawn over. */
  readonly terminal?: Terminal;
  readonly now: () => number;
  /** Lines of result; a line end inside one is escaped like any other control. */
  readonly print: (...lines: readonly string[]) => void;
  /** Lines of a file for another program, in which a tab is a tab. */
  readonly printFile: (...lines: readonly string[]) => void;
  /** A result as JSON, indented, safe on a terminal. */
  readonly printJson: (value: unknown) => void;
  /** Notes, warnings and errors, to stderr. */
  readonly note: (...lines: readonly string[]) => void;
}

export function processIo(): Io {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', quietPipe);
  return {
    env: process.env,
    execArgv: process.execArgv,
    cwd: process.cwd(),
    words: process.argv.slice(2),
    program: programName(process.argv[1] ?? ''),
    stdin: process.stdin,
    ...(process.stdout.isTTY && process.env['TERM'] !== 'dumb' ? { terminal: ownTerminal() } : {}),
    now: () => Date.now(),
    print: (...lines) => void process.stdout.write(lines.map((line) => `${escapeText(line)}\n`).join('')),
    printFile: (...lines) =>
      void process.stdout.write(
        lines.map((line) => `${line.split('\t').map(escapeText).join('\t')}\n`).join(''),
      ),
    printJson: (value) => void process.stdout.write(`${jsonText(value)}\n`),
    note: (...lines) => void process.stderr.write(lines.map((line) => `${escapeText(line)}\n`).join('')),
  };
}

const ownTerminal = (): Terminal => ({
  columns: () => process.stdout.columns || 80,
  rows: () => process.stdout.rows || 24,
  write: (text) => void process.stdout.write(text),
});

/** `letterlock` where it is installed under that name, else by the file that runs. */
const programName = (file: string): string =>
  basename(file) === 'letterlock' || file === '' ? 'letterlock' : `node ${file}`;

/** A reader that went away (`| head`) is no error of ours. */
function quietPipe(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error;
}

/** JSON whose strings hold no character that moves a terminal: escaping inside strings keeps it the same JSON. */
export const jsonText = (value: unknown, indent = 2): string =>
  JSON.stringify(value, null, indent).replace(
    /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (char) =>
      [...Array(char.length).keys()]
        .map((index) => `\\u${char.charCodeAt(index).toString(16).padStart(4, '0')}`)
        .join(''),
  );
