// Lines that never end, and ends that never come, where letterlock reads them itself.

import { inTime, memoryGrowth, serve } from './good-client.mjs';
import { countOf } from './world.mjs';

/** So many of each kind at once. */
export async function longLines(run, each) {
  const { world, book } = run;
  const before = await world.rejections();
  const base = world.daemon.memory;
  const starttls = world.of({ leg: 'starttls' }).filter(({ way }) => way !== 'slow');
  const refused = world.of({ refusing: true });
  const line = Buffer.alloc(2 ** 20, 'A');
  const many = Buffer.from('NOOP\r\n'.repeat(500));
  const tries = [];
  for (let number = 0; number < each; number += 1) {
    const route = starttls[number % starttls.length];
    tries.push(
      { route, bytes: line, counted: true },
      { route, bytes: many, counted: true },
      { route: refused[number % refused.length], bytes: line, counted: false },
    );
  }
  const serving = serve(
    world.of({}).find(({ name }) => name === 'pop3-starttls-off'),
    { ...run, times: 3 },
  );
  await Promise.all(tries.map((one) => long(one, run)));
  inTime(await serving, 'among long lines', run);
  const rejections = await world.rejections(before);
  const counted = starttls.reduce(
    (sum, { name }) => sum + countOf(rejections, { route: name, reasons: ['protocol'] }),
    0,
  );
  const expected = tries.filter((one) => one.counted).length;
  book.check(counted === expected, 'an endless line is counted wrongly', `${counted} of ${expected}`);
  book.check(
    world.daemon.memory - base < memoryGrowth,
    'endless lines fill the memory',
    `${Math.round((world.daemon.memory - base) / 2 ** 20)} MiB`,
  );
  book.count('endless lines', tries.length);
}

async function long({ route, bytes }, { world, book }) {
  const client = world.client(route.name);
  try {
    const taken = await client.stream(bytes, { ms: 12_000 });
    const over = await client.ended(12_000);
    book.check(
      over,
      'an endless line is not ended',
      () => `${route.name}: ${bytes.length} bytes, ${taken ? 'all taken' : 'not taken'}`,
    );
    book.check(
      client.heard.length < 65_536,
      'an endless line is answered without an end',
      () => `${route.name}: ${client.heard.length} bytes`,
    );
  } finally {
    client.close();
  }
}
