// A terminal that is drawn over in place: no second screen, so that what was seen stays when it ends. Whoever opens
// one closes it, whatever happens: the cursor must come back. No colours: states are words.

import { escapeText } from '../src/trust/escape.ts';

/** A terminal on stdout. */
export interface Terminal {
  readonly columns: () => number;
  readonly rows: () => number;
  readonly write: (text: string) => void;
}

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearToEndOfLine = '\u001b[K';
const clearBelow = '\u001b[J';

export class Screen {
  readonly #terminal: Terminal;
  #drawn = 0;
  #closed = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.write(hideCursor);
  }

  /** These lines in the place of the last ones, as many and as wide as there is room for. */
  draw(lines: readonly string[]): void {
    const width = Math.max(1, this.#terminal.columns() - 1);
    const shown = lines.slice(0, Math.max(1, this.#terminal.rows() - 1)).map((line) => cut(line, width));
    // A terminal made smaller wraps what stands there: what is above its first line cannot be reached any more.
    const up = Math.min(this.#drawn, Math.max(0, this.#terminal.rows() - 1));
    const back = up === 0 ? '' : `\u001b[${up}A`;
    const text = shown.map((line) => `${line}${clearToEndOfLine}\n`).join('');
    this.#terminal.write(`\r${back}${text}${clearBelow}`);
    this.#drawn = shown.length;
  }

  /** The cursor is there again, below what was drawn last. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#terminal.write(showCursor);
  }
}

function cut(line: string, width: number): string {
  const safe = escapeText(line);
  return safe.length <= width ? safe : `${safe.slice(0, width - 1)}…`;
}
