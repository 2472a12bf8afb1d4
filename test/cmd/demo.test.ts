import { mkdir, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Home } from './program.ts';

let home: Home;
beforeAll(async () => {
  home = await Home.make();
});
afterAll(() => home.remove());

it('demo leaves nothing behind, however often it is told to stop', async () => {
  await mkdir(home.path('tmp'));
  const demo = home.start(['demo'], { env: { TMPDIR: home.path('tmp') } });
  await demo.writes('stdout', /press Ctrl-C/);
  expect(await readdir(home.path('tmp'))).toHaveLength(1);
  const again = setInterval(() => demo.child.kill('SIGTERM'), 1);
  demo.child.kill('SIGTERM');
  await demo.ended;
  clearInterval(again);
  expect(await readdir(home.path('tmp'))).toEqual([]);
});
