// A value somebody wrote that cannot be used, and how it is quoted: bounded, and without passwords.

import { maskCredentials, shortened } from './problem.ts';

/** What is wrong, and what to write instead. */
export class UnusableValue extends RangeError {
  readonly suggestion: string | null;
  constructor(message: string, suggestion: string | null = null) {
    super(message);
    this.name = 'UnusableValue';
    this.suggestion = suggestion;
  }
}

export const quoted = (text: string): string => `"${shortened(maskCredentials(text))}"`;
