import https from 'node:https';
import { parentPort } from 'node:worker_threads';

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker's port has no origins
const tell = (what) => parentPort.postMessage(what);
const asked = { host: '127.0.0.1', port: process.env.PORT, headers: { authorization: 'secret' } };
https.get(asked, (answer) => tell(answer.resume().statusCode)).on('error', (error) => tell(error.code));
