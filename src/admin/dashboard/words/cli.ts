// The command line that does what a button of the page does, for notes, scripts and other machines. Pure.

import type { Command } from '../../../trust/command.ts';

const hourMs = 3_600_000;

/** `letterlock pins approve …`; an empty fingerprint stands as the word FINGERPRINT. */
export function commandLine(command: Command): string {
  return ['letterlock', 'pins', command.command, command.endpoint, ...optionsOf(command)]
    .map(quoted)
    .join(' ');
}

function optionsOf(command: Command): readonly string[] {
  switch (command.command) {
    case 'approve':
      return [
        '--expect',
        wordOf(command.expect),
        ...(command.as === null ? [] : ['--as', command.as]),
        ...durationOf(command.forMs),
        ...flag('--keep', command.keep),
        ...flag('--end-old', command.endOld),
        ...flag('--unreject', command.unreject),
      ];
    case 'reject':
      return ['--expect', wordOf(command.expect)];
    case 'forget':
      return command.expect === null ? ['--yes'] : ['--expect', command.expect];
    case 'undo':
      return [];
    case 'add':
      return [wordOf(command.pin), ...durationOf(command.forMs), ...flag('--unreject', command.unreject)];
  }
}

const wordOf = (fingerprint: string): string =>
  fingerprint.trim() === '' ? 'FINGERPRINT' : fingerprint.trim();
const flag = (name: string, isSet: boolean): readonly string[] => (isSet ? [name] : []);

function durationOf(ms: number | null): readonly string[] {
  if (ms === null) return [];
  const hours = Math.round(ms / hourMs);
  return ['--for', hours % 24 === 0 ? `${hours / 24}d` : `${hours}h`];
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./[\]-]+$/.test(word) && !/[[\]]/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
