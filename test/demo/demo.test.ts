import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readByImap, readByPop3, sendBySmtp } from '../../src/demo/clients.ts';
import { setStage, type Stage } from '../../src/demo/stage.ts';
import { actStory } from '../../src/demo/story.ts';

const quiet = (): void => undefined;

describe('the demo', () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await setStage({ env: {}, on: () => undefined });
  });
  afterEach(() => stage.close());

  it('acts its story out: pinned, mail through, key changed, refused in each protocol, approved, mail again', async () => {
    const told: string[] = [];
    await actStory(stage, (...lines) => told.push(...lines));
    const text = told.join('\n');
    expect(text).toContain('(first-use)');
    expect(text).toContain('INBOX: Subject: Sent through letterlock');
    for (const start of ['* BYE [ALERT]', '-ERR [SYS/PERM]', '421 4.7.0']) {
      expect(text).toContain(
        `S: ${start} letterlock refused mail.demo.test: its key changed. Nothing was sent (#`,
      );
    }
    expect(text).toContain('3 mails in the INBOX.');
    expect(text).not.toMatch(/LOGIN demo demo|PASS demo/);
    const rows = await stage.daemon.operator.pins();
    expect(rows.map(({ endpoint, state }) => [endpoint, state])).toEqual([
      ['mail.demo.test:465', 'pinned'],
      ['mail.demo.test:993', 'pinned'],
      ['mail.demo.test:995', 'pinned'],
    ]);
  });

  it('serves each protocol to a client with the right password and to none with a wrong one', async () => {
    const stranger = { ...stage.account, user: { name: 'demo', password: 'guess' } };
    expect(await sendBySmtp(stage.account, quiet)).toMatchObject({ ok: true });
    expect(await sendBySmtp(stranger, quiet)).toMatchObject({
      ok: false,
      said: '535 5.7.8 wrong user or password',
    });
    expect(await readByImap(stage.account, quiet)).toMatchObject({ ok: true });
    expect(await readByImap(stranger, quiet)).toMatchObject({
      ok: false,
      said: expect.stringContaining('AUTHENTICATIONFAILED'),
    });
    expect(await readByPop3(stage.account, quiet)).toMatchObject({
      ok: true,
      text: expect.stringMatching(/^\+OK 3 /),
    });
    expect(await readByPop3(stranger, quiet)).toMatchObject({ ok: false });
  });

  it('keeps its configuration and state in a folder that goes with it', async () => {
    const folder = dirname(stage.configFile);
    expect(existsSync(folder)).toBe(true);
    await stage.close();
    expect(existsSync(folder)).toBe(false);
  });
});
