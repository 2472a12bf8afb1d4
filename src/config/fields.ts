// The kinds of values the schema is made of. Of Zod the small form is used: this is loaded at every start.

import * as z from 'zod/mini';
import { UnusableValue } from './unusable.ts';

/** A string that `read` accepts; what it throws becomes the problem, with its suggestion. */
export const readable = (read: (text: string) => unknown) =>
  z.string().check(
    z.superRefine((value, context) => {
      try {
        read(value);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const suggestion = error instanceof UnusableValue ? error.suggestion : null;
        context.addIssue({ code: 'custom', message: error.message, params: { suggestion } });
      }
    }),
  );

export const whole = (from: number, to: number, description: string) =>
  z.int().check(z.minimum(from), z.maximum(to), z.meta({ description }));

export const flag = (description: string) => z.boolean().check(z.meta({ description }));

export const filePath = z
  .string()
  .check(z.minLength(1))
  .check(z.meta({ description: 'A path; in a file, relative to that file.' }));

/** A mapping of these keys and no others, each of which may be left out. */
export const mapping = <S extends z.core.$ZodShape>(shape: S) => z.partial(z.strictObject(shape));
