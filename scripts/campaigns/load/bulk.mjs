// Transfers in both directions, in a process of their own, one after another and no more a second than asked for: their
// content is checked by its hash at both ends. On a real server a mail is stored, fetched back and compared.

import { createHash, randomBytes } from 'node:crypto';
import { numbersFrom } from '../lab/numbers.mjs';
import { answer } from './helper.mjs';
import { MailClient } from './mail-client.mjs';

const ways = ['XDOWN', 'XUP', 'XBOTH'];
const [smallest, largest] = [1024, 8_388_608];
const mostFaults = 20;
const perSession = 5;

const totals = {
  sessions: { bulk: 0, dovecot: 0 },
  transfers: 0,
  bytes: 0,
  mails: 0,
  mailBytes: 0,
  sent: 0,
  heard: 0,
};
const faults = [];
const work = { on: false, going: Promise.resolve() };

const pauseFor = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sizes of all orders alike. */
const sizeOf = (chance) => Math.floor(smallest * (largest / smallest) ** chance());

async function repeated(session, { bytesPerSecond }) {
  const since = performance.now();
  let bytes = 0;
  while (work.on) {
    bytes += await session().catch((error) => {
      if (faults.length < mostFaults) faults.push(error.message);
      return 0;
    });
    const early = (bytes / bytesPerSecond) * 1000 - (performance.now() - since);
    for (let left = Math.max(early, 20); left > 0 && work.on; left -= 50) await pauseFor(Math.min(left, 50));
  }
}

async function transfers({ port, chance }) {
  const client = new MailClient(port);
  totals.sessions.bulk += 1;
  let carried = 0;
  try {
    const line = await client.greeting();
    if (!line.startsWith('* OK'))
      throw new Error(`bulk was greeted ${JSON.stringify(line)} (${String(client.over)})`);
    await client.say('LOGIN bulk bulk');
    for (let count = 0; count < perSession && work.on; count += 1) {
      const [how, bytes, seed] = [
        ways[Math.floor(chance() * ways.length)],
        sizeOf(chance),
        Math.floor(chance() * 1e9),
      ];
      await client.carry(how, { seed, bytes });
      totals.transfers += 1;
      carried += how === 'XBOTH' ? 2 * bytes : bytes;
    }
    await client.say('LOGOUT');
    client.end();
    await client.closed();
    totals.bytes += carried;
  } finally {
    client.reset();
    totals.sent += client.sent;
    totals.heard += client.heard;
  }
  return carried;
}

async function mail({ port, login, chance }) {
  const client = new MailClient(port);
  totals.sessions.dovecot += 1;
  try {
    const line = await client.greeting();
    if (!line.startsWith('* OK'))
      throw new Error(`the mailbox was greeted ${JSON.stringify(line)} (${String(client.over)})`);
    await client.say(`LOGIN ${login}`);
    await client.say('CREATE Bulk').catch(() => undefined);
    const lines = randomBytes(Math.floor(30_000 + chance() * 700_000))
      .toString('base64')
      .match(/.{1,76}/g);
    const text = `Subject: bulk\r\n\r\n${lines.join('\r\n')}\r\n`;
    await client.say(`APPEND Bulk {${text.length}+}\r\n${text}`, 30_000);
    await client.say('SELECT Bulk');
    const fetched = await client.say('FETCH * BODY[]', 30_000);
    const [literal, bytes] = /\{(\d+)\}\r\n/.exec(fetched) ?? [];
    const from = fetched.indexOf(literal) + literal?.length;
    if (hash(fetched.slice(from, from + Number(bytes))) !== hash(text))
      throw new Error('a mail fetched is not the mail stored');
    await client.say('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    await client.say('EXPUNGE');
    await client.say('LOGOUT');
    await client.closed();
    totals.mails += 1;
    totals.mailBytes += 2 * text.length;
    return 2 * text.length;
  } finally {
    client.reset();
  }
}

const hash = (text) => createHash('sha256').update(text, 'latin1').digest('hex');

/** `mailbox` null: there is no real server. */
function start({ port, bytesPerSecond, seed, mailbox }) {
  const chance = numbersFrom(seed);
  work.on = true;
  const each = [repeated(() => transfers({ port, chance }), { bytesPerSecond })];
  if (mailbox !== null)
    each.push(repeated(() => mail({ ...mailbox, chance }), { bytesPerSecond: bytesPerSecond / 16 }));
  work.going = Promise.all(each);
}

/** Resolves when the transfers under way are over. */
async function pause() {
  work.on = false;
  await work.going;
}

answer({ start, pause, tell: () => ({ ...totals, faults }) });
