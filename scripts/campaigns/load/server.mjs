// Mail servers behind the daemon, in a process of its own. Each greets with its name and the number of the key it shows, and
// answers as IMAP does; XDOWN, XUP and XBOTH BYTES SEED carry content (content.mjs), XEND and XRESET leave. It counts what
// it was sent under each key, because a server that was refused must not be sent anything.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { Sink, pour } from './content.mjs';
import { answer } from './helper.mjs';

const nobody = () => undefined;

/** By name: what it shows from now on, the number of that key, and bytes heard under each number. */
const servers = new Map();

async function listen({ name, identity, turn }) {
  const about = { name, turn, secureContext: createSecureContext(identity), heard: {} };
  const server = createServer({ noDelay: true }, (raw) => secure(raw, about));
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  servers.set(name, about);
  return server.address().port;
}

/** Connections that were accepted before keep their key. */
function show({ name, identity, turn }) {
  Object.assign(servers.get(name), { turn, secureContext: createSecureContext(identity) });
}

function secure(raw, about) {
  const { turn, secureContext } = about;
  raw.on('error', () => undefined);
  const socket = new TLSSocket(raw, { isServer: true, secureContext });
  socket.on('error', () => socket.destroy());
  socket.once('secure', () => serve(socket, { raw, about, turn }));
}

function serve(socket, { raw, about, turn }) {
  let text = '';
  let sink = null;
  let filled = nobody;
  socket.on('data', (chunk) => {
    about.heard[turn] = (about.heard[turn] ?? 0) + chunk.length;
    take(chunk);
  });
  socket.write(`* OK [CAPABILITY IMAP4rev1 IDLE] ${about.name} ${turn} ready\r\n`);

  function take(chunk) {
    const rest = sink === null ? chunk : sink.take(chunk);
    if (sink !== null && sink.hash !== null) {
      const { hash } = sink;
      sink = null;
      filled(hash);
    }
    if (rest.length > 0) lines(rest);
  }

  function lines(chunk) {
    text += chunk.toString('latin1');
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const [tag, command = '', ...words] = text.slice(0, end).split(' ');
      text = text.slice(end + 2);
      obey(tag, command.toUpperCase(), words.map(Number));
      if (sink === null) continue;
      const early = Buffer.from(text, 'latin1');
      text = '';
      take(early);
    }
  }

  function obey(tag, command, [bytes, seed]) {
    const agree = (said = 'done') => socket.writable && socket.write(`${tag} OK ${said}\r\n`);
    const given = () => pour(socket, { seed, bytes }).catch(() => void raw.resetAndDestroy());
    if (command === 'XDOWN') void given().then(() => agree());
    else if (command === 'XUP') void heard(bytes).then(agree);
    else if (command === 'XBOTH') void Promise.all([heard(bytes), given()]).then(([hash]) => agree(hash));
    else if (command === 'XEND') socket.end();
    else if (command === 'XRESET') raw.resetAndDestroy();
    else if (command === 'LOGOUT') socket.end(`* BYE\r\n${tag} OK done\r\n`);
    else if (command === 'IDLE') socket.write('+ idling\r\n');
    else if (tag.toUpperCase() === 'DONE') socket.write('i OK done\r\n');
    else agree();
  }

  function heard(bytes) {
    return new Promise((resolve) => {
      filled = resolve;
      sink = new Sink(bytes);
    });
  }
}

answer({
  listen,
  show,
  /** Bytes heard while it showed the key of this number. */
  heard: ({ name, turn }) => servers.get(name).heard[turn] ?? 0,
});
