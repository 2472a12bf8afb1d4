// What a proxy on the way answers (src/net/via-http.ts, via-socks.ts): the tunnel is open only after the exact reply, not one
// byte more is read than that reply has, no login is ever said back, and what the proxy said is quoted plainly. The first byte
// chooses kind and login.

import { demand, demandPlain } from './engine/broken.mjs';

const secret = 'Zq9pW7xK';
const mostRead = { http: 8192, socks: 2 + 2 + 4 + 1 + 255 + 2 };

/** What the exact reply is, by cutting it as the RFCs do: its length, or -1. */
function httpReply(text) {
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return -1;
    const head = text.slice(at, end + 2);
    const [first, ...others] = head.split('\r\n').slice(0, -1);
    const [version, status] = first.split(' ');
    if (!['HTTP/1.0', 'HTTP/1.1'].includes(version) || !/^\d{3}$/.test(status ?? '') || others.includes(''))
      return -1;
    if (status[0] === '2') return end + 4;
    if (status[0] !== '1' || status === '101') return -1;
    at = end + 4;
  }
}

function socksReply(bytes, hasLogin) {
  let at = 2;
  if (bytes[0] !== 5) return -1;
  if (bytes[1] === 2 && hasLogin) {
    if (bytes[3] !== 0) return -1;
    at = 4;
  } else if (bytes[1] !== 0) return -1;
  if (bytes[at] !== 5 || bytes[at + 1] !== 0 || bytes[at + 2] !== 0) return -1;
  const type = bytes[at + 3];
  const address = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? 1 + bytes[at + 4] : Number.NaN;
  const end = at + 4 + address + 2;
  return end <= bytes.length ? end : -1;
}

const drive = (talk, bytes) => {
  let [step, at, said] = [talk.next(new Uint8Array(0)), 0, Buffer.alloc(0)];
  while (step.done !== true) {
    const { send, read } = step.value;
    demand(Number.isSafeInteger(read) && read >= 1, 'at least one byte is asked for', read);
    said = Buffer.concat([said, send]);
    if (at + read > bytes.length) return { end: null, read: at, said };
    step = talk.next(Uint8Array.from(bytes.subarray(at, at + read)));
    at += read;
  }
  return { end: step.value, read: at, said };
};

const socks = (choice, ...parts) => Buffer.from([choice, ...parts.flat()]);

export const target = {
  name: 'via',
  files: ['src/net/via-http', 'src/net/via-socks'],
  dictionary: [
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.0 ',
    'HTTP/2 ',
    '\r\n\r\n',
    '\r\n',
    '\n',
    '100 Continue',
    '101 x',
    '407 ',
    '502 Bad',
    '\x05\x00',
    '\x05\x02',
    '\x05\xff',
    '\x05\x00\x00\x01',
    '\x05\x00\x00\x03',
    '\x05\x00\x00\x04',
    '\x01\x00',
    '\x1b[31m',
    '\u202e',
    secret,
  ],
  longest: 9500,
  prepare: async (from) => {
    const { httpTalk } = await from('src/net/via-http');
    const { socksTalk } = await from('src/net/via-socks');
    const run = (bytes) => {
      const choice = bytes[0] ?? 0;
      const kind = choice & 1 ? 'socks' : 'http';
      const login = choice & 2 ? { user: 'me', password: secret } : null;
      const host = ['imap.example.org', '192.0.2.1', '2001:db8::1'][(choice >> 2) % 3];
      const reply = bytes.subarray(1);
      const { end, read, said } = drive(
        (kind === 'socks' ? socksTalk : httpTalk)({ host, port: 993 }, login),
        reply,
      );
      demand(read <= mostRead[kind], 'what is read of a proxy is bounded', read);
      demand(said.length < 1000, 'what is said to a proxy is bounded', said.length);
      demand(login !== null || !said.includes(secret), 'no login is said that nobody gave');
      const exact =
        kind === 'socks' ? socksReply(reply, login !== null) : httpReply(reply.toString('latin1'));
      if (end?.opened === true)
        demand(exact === read, 'the tunnel is open after the exact reply', { exact, read });
      else if (end !== null) {
        demandPlain(end.detail, 'what a proxy said');
        demand(
          end.detail.length < 600 && (login === null || !end.detail.includes(secret)),
          'what a proxy said is bounded and holds no login',
          end.detail,
        );
      }
    };
    const address = [0, 1, 2, 3];
    const seeds = [
      '\0HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n* OK hi\r\n',
      '\0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200\r\n\r\n',
      '\0HTTP/1.1 407 Proxy Authentication Required\r\nA: b\r\n\r\n',
      `\x02HTTP/1.1 403 no ${secret} \x1b[31m\r\n\r\n`,
      '\0HTTP/1.1 502 Bad Gateway\r\n\r\n',
      '\0SSH-2.0-x\r\n',
      `\0HTTP/1.1 200 OK\r\nX: ${'y'.repeat(8300)}`,
      socks(1, [5, 0], [5, 0, 0, 1], address, [3, 225], [42]),
      socks(3, [5, 2], [1, 0], [5, 0, 0, 3], [4], address, [0, 1]),
      socks(9, [5, 0], [5, 0, 0, 4], [...address, ...address, ...address, ...address], [0, 1]),
      socks(1, [5, 0], [5, 5, 0, 1]),
      socks(1, [5, 255]),
    ];
    return { seeds, run };
  },
};
