// What one check of the doctor says: a level, one line, and where it helps what that means and what to do. Texts may
// hold what files and the system say; whoever shows them escapes them.

import type { ExitName } from '../errors.ts';

/** From good to bad. `note`: worth knowing, nothing to do now. A `fault` keeps letterlock from doing its work, or makes it unsafe. */
export const levels = ['ok', 'note', 'warning', 'fault'] as const;
export type Level = (typeof levels)[number];

/** Every check, in the order of the report. */
export const checkNames = [
  'configuration',
  'environment',
  'node',
  'clock',
  'anchors',
  'daemon',
  'store',
  'permissions',
  'container',
  'disk',
  'ports',
  'ipv6',
  'dns',
  'upstreams',
  'descriptors',
  'process',
] as const;
export type CheckName = (typeof checkNames)[number];

export interface Finding {
  readonly check: CheckName;
  readonly level: Level;
  /** One line: what is so. */
  readonly message: string;
  /** What it means for letterlock; null where the line says it all. */
  readonly meaning: string | null;
  /** What to do; null where there is nothing. */
  readonly advice: string | null;
}

/** What a check says besides its name. */
export interface Words {
  readonly message: string;
  readonly meaning?: string;
  readonly advice?: string;
}

export const finding = (check: CheckName, level: Level, { message, meaning, advice }: Words): Finding => ({
  check,
  level,
  message,
  meaning: meaning ?? null,
  advice: advice ?? null,
});

/** The exit code of a report with such a fault. */
const exits: Readonly<Record<CheckName, Exclude<ExitName, 'done'>>> = {
  configuration: 'config',
  environment: 'config',
  node: 'config',
  clock: 'config',
  anchors: 'config',
  daemon: 'no-daemon',
  store: 'store',
  permissions: 'store',
  container: 'store',
  disk: 'store',
  ports: 'network',
  ipv6: 'network',
  dns: 'network',
  upstreams: 'network',
  descriptors: 'config',
  process: 'config',
};

/** That of the first fault in the order of the report; `done` where there is none. */
export function exitFor(findings: readonly Finding[]): ExitName {
  const fault = findings.find(({ level }) => level === 'fault');
  return fault === undefined ? 'done' : exits[fault.check];
}
