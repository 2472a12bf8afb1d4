// A reload of the running program: sessions do not stand still while a long configuration is read, and one that is wrong
// changes nothing.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { selfSigned } from '../net/peers.ts';
import { echoing } from '../daemon/world.ts';
import { FakeClient, FakeServer } from '../proxy/world.ts';
import { Home } from './program.ts';

let home: Home;
let server: FakeServer;
beforeEach(async () => {
  home = await Home.make();
  server = await new FakeServer(await selfSigned(), echoing).listen();
});
afterEach(async () => {
  await home.remove();
  server.close();
});

it('lets bytes cross while thousands of routes are read, and tells where they are wrong', async () => {
  const head = 'state: pins\nmetrics: null\nlog: {format: json}\nroutes:\n';
  const first = `  - {listen: 127.0.0.1:0, upstream: imaps://127.0.0.1:${server.port}, trust: tofu}\n`;
  const file = await home.file('l.yaml', head + first);
  const daemon = home.start(['run', '-c', file]);
  const [, port] = await daemon.writes('stderr', /"event":"ready".* 127\.0\.0\.1:(\d+)"/);
  const client = new FakeClient(Number(port));
  await client.hear('* OK ready');
  const others = Array.from(
    { length: 3000 },
    (_, at) => `  - {listen: 127.0.0.1:${20_000 + at}, upstream: imaps://mail-${at}.example.org}\n`,
  );
  await home.file('l.yaml', `${head}${first}${others.join('')}  - {upsteam: imaps://mail.example.org}\n`);
  daemon.child.kill('SIGHUP');
  let crossed = 0;
  while (!daemon.stderr.includes('"event":"reloaded"')) {
    client.say(`a${crossed} NOOP\r\n`);
    await client.hear(`a${crossed} NOOP\r\n`);
    crossed += 1;
  }
  // As many as there is time for; reading it in the loop lets some ten pass while the file comes from the disk.
  expect(crossed).toBeGreaterThan(30);
  await daemon.writes('stderr', /l\.yaml:3006:6: unknown key \\"upsteam\\"/);
  await daemon.writes('stderr', /"event":"reloaded","ok":false,"problems":2/);
  client.say('z NOOP\r\n');
  await client.hear('z NOOP\r\n');
});
