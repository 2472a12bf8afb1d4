// Processes that share one state directory, told what to do and listened to.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Order, Told } from './sibling.ts';

type Answer = Told | readonly Told[];

export interface Sibling {
  readonly pid: number;
  /** What it said first: that it has the pins, or why not. */
  readonly first: Promise<Told>;
  order(order: Order): Promise<Answer>;
  /** Like `order`, for the one answer that is not a list. */
  ask(order: Order): Promise<Told>;
  kill(signal: NodeJS.Signals): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** No more orders; its exit code. */
  end(): Promise<number | null>;
}

/** `idle`: it has nothing to do once the store is open. `unclosed`: it does not close it at its end. */
export function sibling(
  script: string,
  state: string,
  word: 'orderly' | 'idle' | 'unclosed' = 'orderly',
): Sibling {
  const child = spawn(process.execPath, [script, state, word], { stdio: ['pipe', 'pipe', 'inherit'] });
  const { pid } = child;
  if (pid === undefined) throw new Error('the sibling did not start');
  const closed = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Answer> => {
    const line = await lines.next();
    if (line.done === true) {
      await closed;
      throw new Error(`sibling ${pid} ended: ${child.exitCode ?? child.signalCode}`);
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the line is one of sibling.ts
    return JSON.parse(line.value) as Answer;
  };
  const one = async (): Promise<Told> => {
    const answer = await next();
    if (!('told' in answer)) throw new Error('one answer was expected');
    return answer;
  };
  return {
    pid,
    first: one(),
    async order(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return next();
    },
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      return one();
    },
    async kill(signal) {
      child.kill(signal);
      await closed;
    },
    signal: (signal) => void child.kill(signal),
    async end() {
      child.stdin.end();
      await closed;
      return child.exitCode;
    },
  };
}
