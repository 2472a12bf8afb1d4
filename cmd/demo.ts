// `letterlock demo`: an embedded mail server, letterlock in front of it, and the story of a changed key.

import type { Stage } from '../src/demo/stage.ts';
import { isSet } from './args.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import type { Io } from './io.ts';
import { logFlags } from './settings.ts';
import { untilStopped } from './until-stopped.ts';

const demo: Run = async (args, io) => {
  const { setStage } = await import('../src/demo/stage.ts');
  const { actStory } = await import('../src/demo/story.ts');
  const stop = untilStopped();
  const stage = await setStage({ env: io.env, on: () => undefined, flags: logFlags(args) });
  try {
    io.print('letterlock demo: a mail server with a self-signed certificate, and letterlock in front of it.');
    await actStory(stage, io.print);
    if (isSet(args, 'once')) return 'done';
    io.print(...invitation(stage, io));
    await stop.stopped;
  } finally {
    await stage.close();
    stop.release();
  }
  return 'done';
};

function invitation({ account, configFile, endpoints }: Stage, { program }: Io): readonly string[] {
  const { ports, user } = account;
  const here = `--config ${configFile}`;
  return [
    '',
    'Now you: mail server and letterlock go on until you press Ctrl-C. In your own mail client, enter',
    `     IMAP  localhost port ${ports.imap}, or POP3  localhost port ${ports.pop3}; connection security: none`,
    `     SMTP  localhost port ${ports.submission}; connection security: none`,
    `     user ${user.name}, password ${user.password} (a mail to anybody lands in the INBOX)`,
    'and in another terminal, try',
    `     ${program} status ${here}`,
    `     ${program} pins show ${endpoints[0] ?? ''} ${here}`,
    `     ${program} pins history ${here}`,
  ];
}

const build = (parser: Parser): Parser =>
  parser
    .option('once', { type: 'boolean', describe: 'act the story and end' })
    .option('log-level', {
      type: 'string',
      requiresArg: true,
      describe: 'error (default), warn, info or debug: what letterlock logs meanwhile',
    })
    .option('log-format', { type: 'string', requiresArg: true, describe: 'json, pretty or auto' })
    .usage(
      'Usage: $0 demo\n\nStarts an embedded mail server with a self-signed certificate and letterlock in front of it, acts out\n' +
        'what happens when the server’s key changes, and leaves both running for your own mail client.',
    )
    .example('$0 demo', 'until Ctrl-C')
    .example('$0 demo --once', 'the story only');

export const demoCommand: CommandModule = { build, run: demo };
