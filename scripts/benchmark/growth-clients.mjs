// Run as a process of its own: opens idle clients of a port, a few at a time, and holds them. `open N` opens up to N in
// all, `echo N` sends a line on N of them chosen at random, one by one, and says how long each took to come back; `every N`
// sends N bytes on every one of them, one after another.

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

/** Milliseconds until what was sent on `socket` is back whole. */
async function roundTrip(socket, sent) {
  const startedAt = performance.now();
  await new Promise((resolve) => {
    let missing = sent.length;
    const count = (chunk) => {
      missing -= chunk.length;
      if (missing > 0) return;
      socket.off('data', count);
      resolve();
    };
    socket.on('data', count);
    socket.write(sent);
  });
  return performance.now() - startedAt;
}

async function timed(sockets, sent) {
  const took = [];
  for (const socket of sockets) took.push(await roundTrip(socket, sent));
  return took.toSorted((a, b) => a - b);
}

const line = Buffer.from('a NOOP\r\n');
const anyOf = (count) => Array.from({ length: count }, () => open[Math.floor(Math.random() * open.length)]);

const works = {
  open: (count) => openUpTo(count).then(() => ({ open: open.length, lost })),
  echo: (count) => timed(anyOf(count), line).then((took) => ({ took, lost })),
  every: (length) => timed(open, line.subarray(0, length)).then((took) => ({ took, lost })),
};

process.on('message', ([word, number]) => {
  works[word](number).then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ error: String(error.message) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
