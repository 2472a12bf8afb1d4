// Whether the mail server really sends TLS records of the size asked for: counts them on their way to a client of
// ours. What a proxy costs hangs on it more than on anything else.

import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Ears, greeted } from './client.mjs';

const bytes = 2 * 1024 * 1024;
// TLS 1.3: a byte for the type and sixteen for the tag.
const overhead = 17;
const applicationData = 23;

/** Throws unless nearly all bytes came in records of that size. */
export async function checkRecords({ folder, upstream }, size) {
  const sizes = [];
  const between = createServer((near) => {
    const far = connect(upstream.ec, '127.0.0.1');
    const parse = recordParser(sizes);
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).on('data', parse);
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(between, 'listening');
  const ears = new Ears(65_536);
  const ca = readFileSync(join(folder, 'ca.pem'));
  const where = { port: between.address().port, host: '127.0.0.1', servername: 'localhost' };
  const client = await greeted(connectTls({ ...where, ca, onread: ears.onread }), ears);
  try {
    await client.login();
    await client.download(bytes, size);
  } finally {
    client.destroy();
    between.close();
  }
  const right = sizes.filter((one) => one === size + overhead).length * size;
  if (right < bytes * 0.95) throw new Error(`the mail server sends other records than of ${size} bytes`);
}

/** Puts the length of every record of application data into `sizes`. */
function recordParser(sizes) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const length = rest.readUInt16BE(3);
      if (rest.length < 5 + length) return;
      if (rest[0] === applicationData) sizes.push(length);
      rest = rest.subarray(5 + length);
    }
  };
}
