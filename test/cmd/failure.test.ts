// What a command says of an error that is not its own.

import { expect, it } from 'vitest';
import { reportError } from '../../cmd/failure.ts';
import type { Io } from '../../cmd/io.ts';

const nobody = (): never => {
  throw new TypeError('an error is noted and nothing else');
};

function reported(error: unknown): { readonly exit: string; readonly notes: string } {
  const notes: string[] = [];
  const io: Io = {
    env: {},
    execArgv: [],
    cwd: '/',
    words: [],
    program: 'letterlock',
    stdin: { [Symbol.asyncIterator]: nobody },
    now: nobody,
    print: nobody,
    printFile: nobody,
    printJson: nobody,
    note: (...lines) => notes.push(...lines),
  };
  return { exit: reportError(error, { io, json: false }), notes: notes.join('\n') };
}

it('names the limit to raise where the program may not open as many files as it has parts', () => {
  const error = Object.assign(new Error('EMFILE: too many open files, open chunk.js'), { code: 'EMFILE' });
  const { exit, notes } = reported(error);
  expect(exit).toBe('config');
  expect(notes).toContain('LimitNOFILE');
  expect(notes).not.toContain('bug');
});

it('asks for a report of what nobody foresaw', () => {
  const { exit, notes } = reported(new RangeError('inside'));
  expect(exit).toBe('internal');
  expect(notes).toContain('This is a bug');
  expect(notes).not.toContain('inside');
});
