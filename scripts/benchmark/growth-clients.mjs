// Run as a process of its own: opens idle clients of a port, a few at a time, and holds them. `open N` opens up to N in
// all, `echo N` sends a line on N of them chosen at random, one by one, and says how long each took to come back.

import { connect } from 'node:net';

const port = Number(process.argv[2]);
const atOnce = 16;
const open = [];
let lost = 0;

function one() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', reject);
    socket.once('close', () => {
      lost += 1;
      reject(new Error('closed before its greeting'));
    });
    socket.once('data', (greeting) => {
      if (!greeting.toString('latin1').startsWith('* OK'))
        return reject(new Error(greeting.toString('latin1')));
      socket.off('error', reject);
      socket.on('error', () => undefined);
      open.push(socket);
      resolve();
    });
  });
}

async function openUpTo(count) {
  const worker = async () => {
    while (started < count) {
      started += 1;
      await one();
    }
  };
  let started = open.length;
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function echo(count) {
  const took = [];
  for (let turn = 0; turn < count; turn += 1) {
    const socket = open[Math.floor(Math.random() * open.length)];
    const startedAt = performance.now();
    await new Promise((resolve) => {
      socket.once('data', resolve);
      socket.write('a NOOP\r\n');
    });
    took.push(performance.now() - startedAt);
  }
  return took.toSorted((a, b) => a - b);
}

process.on('message', ([word, number]) => {
  const work =
    word === 'open'
      ? openUpTo(number).then(() => ({ open: open.length, lost }))
      : echo(number).then((took) => ({ took, lost }));
  work.then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ error: String(error.message) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
