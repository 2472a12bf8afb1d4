// The kinds of values the schema is made of.

import { z } from 'zod';
import { UnusableValue } from './unusable.ts';

/** A string that `read` accepts; what it throws becomes the problem, with its suggestion. */
export const readable = (read: (text: string) => unknown) =>
  z.string().superRefine((value, context) => {
    try {
      read(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const suggestion = error instanceof UnusableValue ? error.suggestion : null;
      context.addIssue({ code: 'custom', message: error.message, params: { suggestion } });
    }
  });

export const whole = (from: number, to: number, description: string) =>
  z.int().min(from).max(to).meta({ description });

export const flag = (description: string) => z.boolean().meta({ description });

export const filePath = z.string().min(1).meta({ description: 'A path; in a file, relative to that file.' });
