// What a hook may hold. Either it runs a program or it tells a receiver; what belongs to the other kind is an error.

import * as z from 'zod/mini';
import { chosenClassNames } from '../ops/hooks/classes.ts';
import { newSecretHint, secretKey } from '../ops/hooks/signature.ts';
import { filePath, mapping, readable, whole } from './fields.ts';
import { common, pins } from './route-schema.ts';
import { UnusableValue } from './unusable.ts';
import { parseWebhook } from './webhook-url.ts';

const maxHooks = 16;
const maxWords = 32;

function readName(text: string): void {
  if (!/^[A-Za-z0-9][\w.-]{0,39}$/.test(text))
    throw new UnusableValue(
      'it stands in metrics and logs',
      'use letters, digits, dots, hyphens and underscores, at most 40',
    );
}

/** No message holds any of it. */
function readSecret(text: string): void {
  const key = secretKey(text);
  if (typeof key === 'string') throw new UnusableValue(key, newSecretHint);
}

/** A NUL would end the word for the program, which the operator could not see. */
function readWord(text: string): void {
  if (text.includes('\0')) throw new UnusableValue('it holds a NUL');
}

const shape = z.required(
  mapping({
    name: readable(readName).check(z.meta({ description: 'Names the hook in logs, metrics and notices.' })),
    on: z
      .array(z.enum(chosenClassNames))
      .check(z.minLength(1))
      .check(
        z.meta({
          description: 'The classes of events it is told of; the usual ones of docs/hooks.md when left out.',
        }),
      ),
    exec: z
      .array(readable(readWord))
      .check(z.minLength(1), z.maxLength(maxWords))
      .check(
        z.meta({
          description:
            'A program and its arguments; no shell reads them. The notice is on its stdin and in LETTERLOCK_EVENT_ variables.',
        }),
      ),
    webhook: readable(parseWebhook).check(
      z.meta({
        description:
          'https://HOST[:PORT]/PATH of a receiver of Standard Webhooks; http:// to this machine only.',
      }),
    ),
    secret: readable(readSecret).check(
      z.meta({
        description: 'What its notices are signed with, whsec_BASE64; better in a file.',
      }),
    ),
    secretFile: filePath.check(
      z.meta({
        description: 'A file that holds the secret; in a file, relative to that file.',
      }),
    ),
    caFile: common.caFile,
    pins: pins.check(
      z.meta({
        description:
          'Keys of which the receiver must have one, sha256//BASE64=; without caFile no CA is asked.',
      }),
    ),
    timeoutSeconds: whole(1, 300, 'How long the program, or one attempt to reach the receiver, may take.'),
    retries: whole(0, 10, 'Attempts after the first one that failed; a receiver only.'),
    repeatMinutes: whole(0, 1440, 'How long the same thing is not told again.'),
  }),
  { name: true },
);

const ofReceivers = ['secret', 'secretFile', 'caFile', 'pins', 'retries'] as const;

const hook = shape.check(
  z.superRefine((written, context) => {
    const report = (message: string, suggestion: string, path: readonly string[] = []): void =>
      context.addIssue({ code: 'custom', message, path: [...path], params: { suggestion } });
    const { exec, webhook, secret, secretFile } = written;
    if (exec === undefined && webhook === undefined)
      return report('it says nothing to do', 'add exec: [PROGRAM, ARGUMENT…] or webhook: https://…');
    if (exec !== undefined && webhook !== undefined)
      return report('exec and webhook are two hooks', 'write one hook for each');
    if (webhook === undefined)
      return ofReceivers
        .filter((key) => written[key] !== undefined)
        .forEach((key) => report('it is for webhook:', 'remove it', [key]));
    if (secret !== undefined && secretFile !== undefined)
      return report('secret stands there too', 'keep one of the two', ['secretFile']);
    if (secret === undefined && secretFile === undefined)
      report(
        'it has no secret to sign with',
        `add secretFile: hook.secret and ${newSecretHint} > hook.secret`,
      );
  }),
);

export const hooksSchema = z
  .array(hook)
  .check(z.maxLength(maxHooks))
  .check(
    z.superRefine((hooks, context) => {
      for (const [index, { name }] of hooks.entries()) {
        if (hooks.findIndex((other) => other.name === name) === index) continue;
        const params = { suggestion: 'give each hook a name of its own' };
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(name)} is taken`,
          path: [index, 'name'],
          params,
        });
      }
    }),
  );

export type RawHook = z.infer<typeof hook>;

export const hookDefaults = { timeoutSeconds: 10, retries: 5, repeatMinutes: 10 } as const;
