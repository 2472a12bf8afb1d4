// Reads the commands that change trust from their options. Whatever contradicts itself is a usage error here,
// before a store or a daemon is asked.

import type { Command } from '../src/trust/command.ts';
import { parseFingerprint, requireFingerprint } from '../src/trust/fingerprint.ts';
import { asUsage, durationOf, endpointNameOf, isSet, requiredText, textOf, usage } from './args.ts';
import type { Args } from './args.ts';
import type { Parser } from './command.ts';

const fingerprint = 'full fingerprint: sha256//BASE64= of the key, or AB:CD:… of key or certificate';
const expected = { type: 'string', requiresArg: true, describe: fingerprint } as const;

export function approveCommandOf(args: Args): Command {
  const forMs = durationOf(args, 'for');
  const as = asOf(args);
  const keep = isSet(args, 'keep');
  const endOld = isSet(args, 'end-old');
  if (keep && endOld) throw usage('--keep and --end-old contradict each other', 'give one of them');
  if (as === 'ca' && (forMs !== null || keep))
    throw usage('--as ca ends all pins: --for and --keep make no sense with it');
  return {
    command: 'approve',
    endpoint: endpointNameOf(args),
    expect: expectOf(args),
    forMs,
    as,
    keep,
    endOld,
    unreject: isSet(args, 'unreject'),
  };
}

export const rejectCommandOf = (args: Args): Command => ({
  command: 'reject',
  endpoint: endpointNameOf(args),
  expect: expectOf(args),
});

export function forgetCommandOf(args: Args): Command {
  const expect = textOf(args, 'expect') === null ? null : expectOf(args);
  const yes = isSet(args, 'yes');
  if (expect === null && !yes) {
    throw usage(
      'forget lets the next key be trusted on first use',
      'name the key to forget with --expect PIN, or say --yes',
    );
  }
  return { command: 'forget', endpoint: endpointNameOf(args), expect, yes };
}

export function addCommandOf(args: Args): Command {
  const pin = requiredText(args, 'pin');
  if (parseFingerprint(pin)?.kind !== 'spki') {
    throw usage(
      `${pin} is not the fingerprint of a key`,
      'write sha256//BASE64=, as letterlock cert FILE shows it',
    );
  }
  return {
    command: 'add',
    endpoint: endpointNameOf(args),
    pin,
    forMs: durationOf(args, 'for'),
    unreject: isSet(args, 'unreject'),
  };
}

function expectOf(args: Args): string {
  const text = textOf(args, 'expect');
  if (text === null)
    throw usage(
      '--expect is missing',
      'give the fingerprint the operator of the server told you, by another way than this server',
    );
  asUsage(() => requireFingerprint(text));
  return text;
}

function asOf(args: Args): 'ca' | 'pin' | null {
  const as = textOf(args, 'as');
  if (as === null || as === 'ca' || as === 'pin') return as;
  throw usage(`--as ${as} is not known`, 'use --as ca or --as pin');
}

export const buildApprove = (parser: Parser): Parser =>
  parser
    .option('expect', expected)
    .option('for', { type: 'string', requiresArg: true, describe: 'trust it for this long: 12h, 7d' })
    .option('as', {
      type: 'string',
      requiresArg: true,
      describe: 'ca: let the CA decide from now on; pin: pin it for good',
    })
    .option('keep', { type: 'boolean', describe: 'the other keys keep their dates (a pool of servers)' })
    .option('end-old', { type: 'boolean', describe: 'the other keys end now instead of in 7 days' })
    .option('unreject', { type: 'boolean', describe: 'the key was rejected by mistake' })
    .example(
      '$0 pins approve imap.example.org:993 --expect sha256//BASE64=',
      'the key was changed, and this is the new one',
    )
    .example('$0 pins approve imap.example.org:993 --expect sha256//BASE64= --for 7d', 'for a week');

export const buildReject = (parser: Parser): Parser =>
  parser
    .option('expect', expected)
    .example('$0 pins reject imap.example.org:993 --expect sha256//BASE64=', 'the key was stolen');

export const buildAdd = (parser: Parser): Parser =>
  parser
    .positional('pin', { type: 'string', describe: 'sha256//BASE64= of the key' })
    .option('for', { type: 'string', requiresArg: true, describe: 'trust it for this long: 12h, 7d' })
    .option('unreject', { type: 'boolean', describe: 'the key was rejected by mistake' })
    .example('$0 pins add imap.example.org:993 sha256//BASE64=', 'before the first connection');

export const buildForget = (parser: Parser): Parser =>
  parser
    .option('expect', expected)
    .option('yes', { type: 'boolean', describe: 'forget without naming the key' })
    .example('$0 pins forget imap.example.org:993 --expect sha256//BASE64=', 'and start over');
