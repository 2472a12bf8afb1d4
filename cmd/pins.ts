// `letterlock pins …`: which keys are trusted, and every way for a person to change that. Fingerprints are
// compared here and in the engine, never by eye; a reference finds a key and approves nothing.

import type { Operator } from '../src/admin/operator.ts';
import { parseEndpoint } from '../src/endpoint.ts';
import { CommandError } from '../src/errors.ts';
import type { Command } from '../src/trust/command.ts';
import { normalizeReference } from '../src/trust/fingerprint.ts';
import { endpointNameOf, isSet, requiredText, textOf } from './args.ts';
import type { Args } from './args.ts';
import { withOperator } from './command.ts';
import { comparedLines } from './comparison-lines.ts';
import type { Choose, CommandModule, Run, Parser } from './command.ts';
import type { Io } from './io.ts';
import { withOperatorOf } from './operator.ts';
import {
  addCommandOf,
  approveCommandOf,
  buildAdd,
  buildApprove,
  buildForget,
  buildReject,
  forgetCommandOf,
  rejectCommandOf,
} from './pins-orders.ts';
import { buildRepair, buildVerify, repair, verify } from './pins-store.ts';
import { historyLines, listLines, showLines } from './pin-lines.ts';

const list: Run = (args, io) =>
  withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const rows = await operator.pins();
    if (isSet(args, 'json')) io.printJson(rows);
    else io.print(...listLines(rows));
    return 'done';
  });

const show: Run = (args, io) => {
  const endpoint = endpointNameOf(args);
  return withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const row = await operator.pin(endpoint);
    if (isSet(args, 'json')) io.printJson(row);
    else io.print(...showLines(row));
    return 'done';
  });
};

const compare: Run = (args, io) => {
  const sought = soughtKey(args);
  return withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const reference = 'endpoint' in sought ? await onlyWaiting(operator, sought.endpoint) : sought.reference;
    const comparison = await operator.candidate(reference);
    if (isSet(args, 'json')) io.printJson(comparison);
    else io.print(...comparedLines(comparison));
    return 'done';
  });
};

/** @throws CommandError `not-found` for what can be neither */
function soughtKey(args: Args): { readonly reference: string } | { readonly endpoint: string } {
  const text = requiredText(args, 'key');
  const reference = normalizeReference(text);
  if (reference !== null) return { reference };
  try {
    return { endpoint: parseEndpoint(text).name };
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CommandError('not-found', `${text} is no reference and no HOST:PORT`, {
      hint: 'A reference has 8 characters: pins list shows those of the keys that wait.',
      cause,
    });
  }
}

/** Of several keys a person chooses. @throws CommandError `not-found`, `usage` */
async function onlyWaiting(operator: Operator, endpoint: string): Promise<string> {
  const { candidates } = await operator.pin(endpoint);
  const [only, ...others] = candidates;
  if (only === undefined)
    throw new CommandError('not-found', `no key of ${endpoint} waits for a decision`, {
      hint: `letterlock pins show ${endpoint} says what is known of it.`,
    });
  if (others.length > 0)
    throw new CommandError('usage', `${candidates.length} keys of ${endpoint} wait for a decision`, {
      hint: `Name one: letterlock pins compare ${candidates.map(({ ref }) => ref).join(' | ')}`,
    });
  return only.ref;
}

const history: Run = (args, io) => {
  const endpoint = textOf(args, 'endpoint') === null ? null : endpointNameOf(args);
  return withOperatorOf({ args, io, needs: { create: 'never' } }, async (operator) => {
    const rows = await operator.history(endpoint);
    if (isSet(args, 'json')) io.printJson(rows);
    else io.print(...historyLines(rows));
    return 'done';
  });
};

/** A command that changes trust: read whole before anything is opened. */
const ordering =
  (commandOf: (args: Args) => Command): Run =>
  (args: Args, io: Io) => {
    const command = commandOf(args);
    const create = command.command === 'add' ? 'if-missing' : 'never';
    return withOperatorOf({ args, io, needs: { create } }, async (operator) => {
      const answer = await operator.command(command);
      if (isSet(args, 'json')) io.printJson(answer);
      else io.print(...answer.lines);
      return 'done';
    });
  };

const endpoint = (parser: Parser): Parser =>
  withOperator(parser).positional('endpoint', {
    type: 'string',
    describe: 'HOST:PORT, as pins list shows it',
  });

const build = (parser: Parser, choose: Choose): Parser =>
  parser
    .usage(
      'Usage: $0 pins list|show|compare|history|approve|reject|add|forget|undo|import|export|verify|repair',
    )
    .command({
      command: 'list',
      describe: 'every endpoint and how it stands',
      builder: (inner: Parser) => withOperator(inner).example('$0 pins list --json', 'for a script'),
      handler: choose(list),
    })
    .command({
      command: 'show <endpoint>',
      describe: 'everything known of one endpoint',
      builder: (inner: Parser) =>
        endpoint(inner).example('$0 pins show imap.example.org:993', 'pins, candidates, rejected keys'),
      handler: choose(show),
    })
    .command({
      command: 'compare <key>',
      describe: 'a refused key beside the one that is known',
      builder: (inner: Parser) =>
        withOperator(inner)
          .positional('key', {
            type: 'string',
            describe: 'reference of a key that waits, or HOST:PORT where only one waits',
          })
          .usage('Usage: $0 pins compare REF|ENDPOINT\n\nSays what changed, and shows every difference.')
          .example('$0 pins compare 7F3AK2QM', 'the reference of a refusal')
          .example('$0 pins compare imap.example.org:993', 'the key of it that waits'),
      handler: choose(compare),
    })
    .command({
      command: 'history [endpoint]',
      describe: 'what changed trust, when and by whom',
      builder: (inner: Parser) =>
        endpoint(inner).example('$0 pins history imap.example.org:993', 'of one endpoint'),
      handler: choose(history),
    })
    .command({
      command: 'approve <endpoint>',
      describe: 'trust a key that was refused',
      builder: (inner: Parser) => buildApprove(endpoint(inner)),
      handler: choose(ordering(approveCommandOf)),
    })
    .command({
      command: 'reject <endpoint>',
      describe: 'never trust a key again, and end its sessions',
      builder: (inner: Parser) => buildReject(endpoint(inner)),
      handler: choose(ordering(rejectCommandOf)),
    })
    .command({
      command: 'add <endpoint> <pin>',
      describe: 'trust a key before it is first seen',
      builder: (inner: Parser) => buildAdd(endpoint(inner)),
      handler: choose(ordering(addCommandOf)),
    })
    .command({
      command: 'forget <endpoint>',
      describe: 'start over with an endpoint; rejections stay',
      builder: (inner: Parser) => buildForget(endpoint(inner)),
      handler: choose(ordering(forgetCommandOf)),
    })
    .command({
      command: 'undo <endpoint>',
      describe: 'revert the last command on an endpoint',
      builder: (inner: Parser) => endpoint(inner).example('$0 pins undo imap.example.org:993', 'once'),
      handler: choose(ordering((args) => ({ command: 'undo', endpoint: endpointNameOf(args) }))),
    })
    .command({
      command: 'import <file>',
      describe: 'take over what another program knows, or a backup',
      builder: async (inner: Parser) => (await import('./pins-import.ts')).buildImport(inner),
      handler: choose(async (args, io) => (await import('./pins-import.ts')).importPins(args, io)),
    })
    .command({
      command: 'export [endpoint..]',
      describe: 'a backup, or lines for another program',
      builder: async (inner: Parser) => (await import('./pins-export.ts')).buildExport(inner),
      handler: choose(async (args, io) => (await import('./pins-export.ts')).exportPins(args, io)),
    })
    .command({
      command: 'verify',
      describe: 'check the store and its audit log',
      builder: buildVerify,
      handler: choose(verify),
    })
    .command({
      command: 'repair',
      describe: 'show or carry out a way back from damage',
      builder: buildRepair,
      handler: choose(repair),
    })
    .demandCommand(1, 'say what to do with the pins');

export const pinsCommand: CommandModule = { build };
