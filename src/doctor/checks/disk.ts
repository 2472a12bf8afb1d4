// Room for the pins: a store that cannot be written refuses every server that needs a record.

import { finding, type Finding } from '../finding.ts';

export interface DiskFacts {
  /** The folder asked: the state directory, or the nearest one that is there. */
  readonly folder: string;
  readonly freeBytes: number | null;
  /** Of files; null where the file system has no such number. */
  readonly freeFiles: number | null;
  readonly readOnly: boolean;
}

const mebibyte = 1024 * 1024;

export function checkDisk({ folder, freeBytes, freeFiles, readOnly }: DiskFacts): readonly Finding[] {
  if (readOnly)
    return [
      finding('disk', 'fault', {
        message: `${folder} is on a file system that is mounted read-only`,
        meaning: 'No pin can be stored, so nothing is accepted that needs one.',
        advice: 'Put the state elsewhere: --state DIR, or state: in the configuration.',
      }),
    ];
  if (freeBytes === null)
    return [finding('disk', 'note', { message: `how much room ${folder} has cannot be told` })];
  const room = `${folder} has ${sizeText(freeBytes)} free`;
  const words = {
    meaning:
      'A pin that cannot be stored is not accepted: first uses and approvals fail when the disk is full.',
    advice: 'Make room, or put the state elsewhere: --state DIR.',
  };
  if (freeFiles === 0)
    return [
      finding('disk', 'fault', { message: `${folder} has no room for one more file (inodes)`, ...words }),
    ];
  if (freeBytes < 4 * mebibyte) return [finding('disk', 'fault', { message: room, ...words })];
  if (freeBytes < 64 * mebibyte) return [finding('disk', 'warning', { message: room, ...words })];
  return [finding('disk', 'ok', { message: room })];
}

function sizeText(bytes: number): string {
  const mebibytes = bytes / mebibyte;
  if (mebibytes < 1024) return `${mebibytes.toFixed(mebibytes < 10 ? 1 : 0)} MiB`;
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}
