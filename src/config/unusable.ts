// A value somebody wrote that cannot be used, and how it is quoted: bounded, and without passwords.

import { maskCredentials } from './problem.ts';

/** What is wrong, and what to write instead. */
export class UnusableValue extends RangeError {
  readonly suggestion: string | null;
  constructor(message: string, suggestion: string | null = null) {
    super(message);
    this.name = 'UnusableValue';
    this.suggestion = suggestion;
  }
}

/** Masked before it is cut: what marks a password as one may stand behind the cut. */
export function quoted(text: string): string {
  const masked = maskCredentials(text);
  return `"${masked.length > 80 ? `${masked.slice(0, 80)}…` : masked}"`;
}
