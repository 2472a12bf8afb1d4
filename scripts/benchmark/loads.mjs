// What is done through a proxy while its processor time is counted. Each load does one amount of work through a
// port and returns how much that was, in its unit.

import { openClient } from './client.mjs';

const mebibyte = 1024 * 1024;
const gigabyte = 1e9;

/** Megabytes split evenly over the connections, all open before the first byte. */
async function bulk(port, { megabytes, connections }, move) {
  const each = Math.round((megabytes * mebibyte) / connections);
  const clients = await Promise.all(Array.from({ length: connections }, () => openClient(port)));
  try {
    await Promise.all(clients.map((client) => client.login()));
    await Promise.all(clients.map((client) => move(client, each)));
  } finally {
    for (const client of clients) client.destroy();
  }
  return (each * connections) / gigabyte;
}

export const download = (port, amount) =>
  bulk(port, amount, (client, bytes) => client.download(bytes, amount.record));

export const upload = (port, amount) => bulk(port, amount, (client, bytes) => client.upload(bytes));

/** One after the other: connect, greeting, three round trips, close. */
export async function sessions(port, { count }) {
  for (let done = 0; done < count; done += 1) {
    const client = await openClient(port, 4096);
    await client.login();
    await client.say('NOOP');
    await client.leave();
  }
  return count;
}
