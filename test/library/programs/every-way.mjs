// Every way in which a program on Node makes a TLS connection, one a line: `way: what came of it`.
import { spawnSync } from 'node:child_process';
import http2 from 'node:http2';
import https from 'node:https';
import { createConnection } from 'node:net';
import tls, { connect } from 'node:tls';
import { Worker } from 'node:worker_threads';

const [host, port] = ['127.0.0.1', Number(process.env.PORT)];
const request = (options) =>
  new Promise((resolve) => {
    const asked = https.request({
      host,
      port,
      path: '/',
      method: 'POST',
      headers: { authorization: 'secret' },
      ...options,
    });
    asked.on('response', (answer) => resolve(answer.resume().statusCode));
    asked.on('error', (error) => resolve(error.code));
    asked.end('secret');
  });
const plain = (make) =>
  new Promise((resolve) => {
    const socket = make(() => resolve('secure'));
    socket.on('error', (error) => resolve(error.code));
    socket.on('secureConnect', () => socket.end());
    socket.write('GET / HTTP/1.1\r\nAuthorization: secret\r\n\r\n');
  });
const fetched = () =>
  fetch(`https://${host}:${port}/`, { headers: { authorization: 'secret' } }).then(
    ({ status }) => status,
    (error) => error.cause?.code ?? error.message,
  );
const http2Answer = () =>
  new Promise((resolve) => {
    const session = http2.connect(`https://${host}:${process.env.PORT2}`);
    session.on('error', (error) => resolve(error.code));
    const asked = session.request({ ':path': '/', authorization: 'secret' });
    asked.on('error', (error) => resolve(error.cause?.code ?? error.code));
    asked.on('response', (headers) => resolve(headers[':status']));
    asked.on('close', () => session.close());
    asked.resume().end();
  });
const inWorker = (script, options) =>
  new Promise((resolve) => {
    const worker = new Worker(script, options);
    worker.on('message', resolve);
    worker.on('error', (error) => resolve(error.message));
  });
const child = () =>
  spawnSync(process.execPath, ['-e', text('console.log')], { encoding: 'utf8' }).stdout.trim();
const text = (tell) =>
  `'use strict'; require('node:https').get({ host: '${host}', port: ${port}, headers: { authorization: 'secret' } },
    (answer) => { ${tell}(answer.statusCode); answer.resume(); }).on('error', (error) => ${tell}(error.code));`;

// What programs do that cannot verify: it must not help them.
const weak = { rejectUnauthorized: false };
const ways = {
  https: () => request({}),
  'https again': () => request({}),
  // What programs do that cannot verify: it must not help them.
  'https, weakened': () => request({ rejectUnauthorized: false, checkServerIdentity: () => undefined }),
  fetch: fetched,
  http2: http2Answer,
  'imported connect': () => plain((secure) => connect({ host, port }, secure)),
  'connect by port and host': () => plain((secure) => tls.connect(port, host, secure)),
  'connect with an empty path': () =>
    plain((secure) => tls.connect({ host, port, path: '', ...weak }, secure)),
  'connect over a socket, with a path': () =>
    plain((secure) => {
      const socket = createConnection(port, host);
      return tls.connect({ socket, path: '/x', host, port, ...weak }, secure);
    }),
  'worker of a file': () => inWorker(new URL('worker.mjs', import.meta.url)),
  'worker without options of its own': () =>
    inWorker(new URL('worker.mjs', import.meta.url), { execArgv: [] }),
  'worker with an environment of its own': () =>
    inWorker(new URL('worker.mjs', import.meta.url), { env: { PORT: process.env.PORT } }),
  'worker of text in a worker of text': () =>
    inWorker(
      `const { Worker, parentPort } = require('node:worker_threads');
      new Worker(${JSON.stringify(text("require('node:worker_threads').parentPort.postMessage"))}, { eval: 1 })
        .on('message', (what) => parentPort.postMessage(what));`,
      { eval: true },
    ),
  'worker of text': () =>
    inWorker(text("require('node:worker_threads').parentPort.postMessage"), { eval: true }),
  'child process': child,
};
for (const [name, way] of Object.entries(ways)) console.log(`${name}: ${await way()}`);
