// letterlock hooks: tries what is configured, without a daemon, and says what became of it.

import { chmod } from 'node:fs/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/errors.ts';
import { hookClassNames } from '../../src/ops/hooks/classes.ts';
import { selfSigned, type Identity } from '../net/peers.ts';
import { Receiver, secret, verified } from '../ops/hooks/world.ts';
import { keyOf } from '../proxy/world.ts';
import { Home, parsed } from './program.ts';

let own: Identity;
let home: Home;
let receiver: Receiver;
beforeAll(async () => {
  own = await selfSigned();
});
beforeEach(async () => {
  home = await Home.make();
  receiver = await Receiver.open(own, 204);
});
afterEach(async () => {
  await receiver.close();
  await home.remove();
});

async function program(name: string, script: string): Promise<string> {
  const path = await home.file(name, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const config = (...hooks: readonly string[]): Promise<string> =>
  home.file(
    'l.yaml',
    `routes:\n  - upstream: imaps://a.example\nhooks:\n${hooks.map((hook) => `  - ${hook}\n`).join('')}`,
  );

const pager = (pin: string): string =>
  `{name: pager, on: [refused], webhook: "https://127.0.0.1:${receiver.port}/x", secretFile: s, pins: ["${pin}"]}`;

describe('letterlock hooks test', () => {
  it('tells every hook, whatever it hears of, and says so', async () => {
    await home.file('s', secret);
    const path = await program('say', 'cat > "$0.got"; echo "$LETTERLOCK_EVENT_TYPE"; printf "\\033[2J"');
    await config(`{name: desktop, on: [started], exec: [${path}]}`, pager(keyOf(own)));
    const { exit, stdout } = await home.say(['hooks', 'test', '-c', 'l.yaml'], {});
    expect(exit).toBe(exitCodes.done);
    expect(stdout).toMatch(
      /^desktop: delivered \([\d.]+ s\)\n {2}it wrote: test\\x0a\\x1b\[2J\npager: delivered \([\d.]+ s\)\n$/,
    );
    expect(receiver.got.map((got) => verified(got))).toMatchObject([
      {
        type: 'test',
        data: {
          hook: 'pager',
          severity: 'info',
          message: 'this is a test of the hook pager; nothing happened',
        },
      },
    ]);
  });

  it('tells the one that is named', async () => {
    const path = await program('say', 'exit 0');
    await config(`{name: one, exec: [${path}]}`, `{name: two, exec: [${path}]}`);
    const { stdout } = await home.say(['hooks', 'test', 'two', '-c', 'l.yaml', '--json']);
    expect(parsed(stdout)).toMatchObject([
      { hook: 'two', kind: 'exec', result: 'delivered', detail: null, output: null },
    ]);
  });

  it('ends with 5 when one was not told, after one attempt, and says why', async () => {
    await home.file('s', secret);
    const path = await program('say', 'echo no display >&2; exit 3');
    const other = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
    await config(`{name: desktop, exec: [${path}]}`, pager(other));
    const { exit, stdout, stderr } = await home.say(['hooks', 'test', '-c', 'l.yaml']);
    expect(exit).toBe(exitCodes.network);
    expect(stdout).toMatch(/^desktop: failed, exit 3 \(.* s\)\n {2}it wrote: no display\n/);
    expect(stdout).toContain('pager: failed, its key is not the one pinned for it');
    expect(stderr).toContain('letterlock: not delivered: desktop, pager\n');
    expect(stderr + stdout).not.toContain(secret);
    expect(receiver.connections).toBe(1);
  });

  it.each([
    [
      ['hooks', 'test', 'dekstop'],
      ['{name: desktop, exec: [/bin/true]}'],
      /there is no hook dekstop\nhint: Did you mean desktop\?/,
    ],
    [
      ['hooks', 'test', 'x'],
      ['{name: desktop, exec: [/bin/true]}'],
      /there is no hook x\nhint: There are desktop\./,
    ],
  ])('%j: not found', async (words, hooks, message) => {
    await config(...hooks);
    const { exit, stderr } = await home.say([...words, '-c', 'l.yaml']);
    expect(exit).toBe(exitCodes['not-found']);
    expect(stderr).toMatch(message);
  });

  it('of a configuration without hooks says so', async () => {
    await home.file('l.yaml', 'routes:\n  - upstream: imaps://a.example\n');
    const { exit, stderr } = await home.say(['hooks', 'test', '-c', 'l.yaml']);
    expect(exit).toBe(exitCodes['not-found']);
    expect(stderr).toContain('the configuration has no hooks');
  });
});

it('letterlock hooks events lists every class', async () => {
  const { stdout } = await home.say(['hooks', 'events']);
  for (const name of hookClassNames) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'));
  expect(parsed((await home.say(['hooks', 'events', '--json'])).stdout)).toHaveLength(hookClassNames.length);
});

it('letterlock check finds a program that is not there, before it is needed', async () => {
  await config('{name: desktop, exec: [/nowhere/notify]}');
  const { exit, stderr } = await home.say(['check', '-c', 'l.yaml']);
  expect(exit).toBe(exitCodes.config);
  expect(stderr).toContain('l.yaml:4:27: exec: /nowhere/notify is not there, or no program');
});

it('letterlock config show shows no secret, as YAML and as JSON', async () => {
  await home.file('s', secret);
  await config(pager(keyOf(own)), `{name: inline, webhook: "https://a.example/hunter2", secret: ${secret}}`);
  for (const words of [
    ['config', 'show', '--origin'],
    ['config', 'show', '--json'],
  ]) {
    const { exit, stdout } = await home.say([...words, '-c', 'l.yaml']);
    expect(exit).toBe(exitCodes.done);
    expect(stdout).toContain('***');
    expect(stdout).not.toContain(secret.slice(6));
    expect(stdout).not.toContain('hunter2');
  }
});
