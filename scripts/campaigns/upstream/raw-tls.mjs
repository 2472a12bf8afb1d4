// Answers to a ClientHello that no TLS library would send, byte by byte (RFC 5246, RFC 8446). Each takes what it needs of
// the ClientHello and gives what to write; nothing here ever holds a key.

import { randomBytes } from 'node:crypto';

const types = { changeCipherSpec: 20, alert: 21, handshake: 22, application: 23, heartbeat: 24 };
const messages = {
  serverHello: 2,
  certificate: 11,
  serverKeyExchange: 12,
  serverHelloDone: 14,
  finished: 20,
};
const retryRandom = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

const short = (number) => Buffer.from([number >> 8, number & 0xff]);
const long = (number) => Buffer.from([(number >> 16) & 0xff, (number >> 8) & 0xff, number & 0xff]);
const record = (type, body, version = 0x0303) =>
  Buffer.concat([Buffer.from([type]), short(version), short(body.length), body]);
const message = (type, body) => Buffer.concat([Buffer.from([type]), long(body.length), body]);
const handshake = (type, body, version) => record(types.handshake, message(type, body), version);
const alert = (level, code) => record(types.alert, Buffer.from([level, code]));
const extension = (type, body) => Buffer.concat([short(type), short(body.length), body]);
const text = (said) => Buffer.from(said, 'latin1');

/** The session id of a ClientHello record: TLS 1.3 clients send one of chance, which no server knows. */
function sessionIdOf(hello) {
  const at = 5 + 4 + 2 + 32;
  return hello.subarray(at + 1, at + 1 + hello[at]);
}

function serverHello(
  hello,
  { version = 0x0303, random = randomBytes(32), id, cipher = 0xc02b, compression = 0, extensions = [] } = {},
) {
  const sessionId = id ?? Buffer.alloc(0);
  const all = Buffer.concat(extensions);
  return message(
    messages.serverHello,
    Buffer.concat([
      short(version),
      random,
      Buffer.from([sessionId.length]),
      sessionId,
      short(cipher),
      Buffer.from([compression]),
      ...(all.length > 0 ? [short(all.length), all] : []),
    ]),
  );
}

const said = (body) => record(types.handshake, body);
/** RFC 8446 section 4.2.1: it is TLS 1.3. */
const tls13 = extension(43, short(0x0304));
const keyShare = extension(51, Buffer.concat([short(0x001d), short(32), randomBytes(32)]));
const echoed = (hello, more) => serverHello(hello, { id: sessionIdOf(hello), ...more });
const downgraded = (end) => Buffer.concat([randomBytes(24), Buffer.from(end, 'hex')]);
const empty = Buffer.alloc(0);

/** `name: (hello, mark) => bytes`; `mark` is what must never reach a client. */
export const rawAnswers = {
  'its own hello back': (hello) => hello,
  'its own hello back, three times': (hello) => Buffer.concat([hello, hello, hello]),
  'the answer of a plaintext server': (hello, mark) =>
    text(`* BAD ${mark}\r\n-ERR ${mark}\r\n500 ${mark}\r\n`),
  'a greeting in clear': (hello, mark) => text(`* OK ${mark}\r\n+OK ${mark}\r\n220 ${mark}\r\n`),
  'an HTTP answer': (hello, mark) => text(`HTTP/1.1 400 Bad Request\r\n\r\n${mark}`),
  garbage: () => randomBytes(4096),
  zeros: () => Buffer.alloc(4096),
  'an SSLv2 hello': () =>
    Buffer.from('801f0400010002000000100100800000100123456789abcdef0123456789abcdef', 'hex'),
  'an SSLv3 hello': (hello) => record(types.handshake, serverHello(hello, { version: 0x0300 }), 0x0300),
  'TLS 1.0': (hello) =>
    record(types.handshake, serverHello(hello, { version: 0x0301, cipher: 0xc009 }), 0x0301),
  'TLS 1.1': (hello) =>
    record(types.handshake, serverHello(hello, { version: 0x0302, cipher: 0xc009 }), 0x0302),
  'TLS 1.2 with the mark of a downgrade': (hello) =>
    said(serverHello(hello, { random: downgraded('444f574e47524401') })),
  'TLS 1.1 with the mark of a downgrade': (hello) =>
    record(
      types.handshake,
      serverHello(hello, { version: 0x0302, random: downgraded('444f574e47524400') }),
      0x0302,
    ),
  'TLS 1.9': (hello) => said(serverHello(hello, { version: 0x0309 })),
  'a cipher that encrypts nothing': (hello) => said(serverHello(hello, { cipher: 0x0002 })),
  'an anonymous cipher': (hello) => said(serverHello(hello, { cipher: 0xc018 })),
  'an export cipher': (hello) => said(serverHello(hello, { cipher: 0x0003 })),
  'a compression': (hello) => said(serverHello(hello, { compression: 1 })),
  'a session resumed: the id of the hello echoed (TLS 1.2)': (hello) =>
    Buffer.concat([
      said(echoed(hello)),
      record(types.changeCipherSpec, Buffer.from([1])),
      record(types.handshake, randomBytes(40)),
    ]),
  'a session resumed: a pre-shared key that nobody offered (TLS 1.3)': (hello) =>
    said(echoed(hello, { cipher: 0x1301, extensions: [tls13, keyShare, extension(41, short(0))] })),
  'a session resumed: a ticket that nobody asked for (TLS 1.2)': (hello) =>
    said(echoed(hello, { extensions: [extension(35, randomBytes(8))] })),
  'a protocol (ALPN) that nobody offered, TLS 1.2': (hello) =>
    said(
      serverHello(hello, {
        extensions: [extension(16, Buffer.concat([short(5), Buffer.from([4]), text('imap')]))],
      }),
    ),
  'a protocol (ALPN) that nobody offered, TLS 1.3': (hello) =>
    said(
      echoed(hello, {
        cipher: 0x1301,
        extensions: [tls13, keyShare, extension(16, Buffer.concat([short(3), Buffer.from([2]), text('h2')]))],
      }),
    ),
  'two protocols at once (ALPN)': (hello) =>
    said(
      serverHello(hello, {
        extensions: [
          extension(
            16,
            Buffer.concat([short(10), Buffer.from([4]), text('imap'), Buffer.from([4]), text('pop3')]),
          ),
        ],
      }),
    ),
  'early data accepted that nobody sent': (hello) =>
    said(echoed(hello, { cipher: 0x1301, extensions: [tls13, keyShare, extension(42, empty)] })),
  'an extension twice': (hello) =>
    said(serverHello(hello, { extensions: [extension(23, empty), extension(23, empty)] })),
  'an extension that nobody knows': (hello) =>
    said(serverHello(hello, { extensions: [extension(0xfafa, randomBytes(4))] })),
  'a group that nobody offered': (hello) =>
    said(
      echoed(hello, {
        cipher: 0x1301,
        random: retryRandom,
        extensions: [tls13, extension(51, short(0x001c))],
      }),
    ),
  'the same group asked for again': (hello) =>
    said(
      echoed(hello, {
        cipher: 0x1301,
        random: retryRandom,
        extensions: [tls13, extension(51, short(0x001d))],
      }),
    ),
  'a key share of zeros': (hello) =>
    said(
      echoed(hello, {
        cipher: 0x1301,
        extensions: [tls13, extension(51, Buffer.concat([short(0x001d), short(32), Buffer.alloc(32)]))],
      }),
    ),
  'a key share cut off': (hello) =>
    said(
      echoed(hello, {
        cipher: 0x1301,
        extensions: [tls13, extension(51, Buffer.concat([short(0x001d), short(32), randomBytes(3)]))],
      }),
    ),
  'data before the handshake': (hello, mark) => record(types.application, text(mark)),
  'data behind the ServerHello': (hello, mark) =>
    Buffer.concat([said(serverHello(hello)), record(types.application, text(mark))]),
  'the end without a certificate (SKIP)': (hello) =>
    Buffer.concat([said(serverHello(hello)), handshake(messages.serverHelloDone, empty)]),
  'Finished at once (SKIP)': (hello) =>
    Buffer.concat([said(serverHello(hello)), handshake(messages.finished, randomBytes(12))]),
  'an early ChangeCipherSpec (CVE-2014-0224)': (hello) =>
    Buffer.concat([
      said(serverHello(hello)),
      record(types.changeCipherSpec, Buffer.from([1])),
      record(types.handshake, randomBytes(40)),
    ]),
  'an empty certificate list': (hello) =>
    Buffer.concat([
      said(serverHello(hello)),
      handshake(messages.certificate, long(0)),
      handshake(messages.serverHelloDone, empty),
    ]),
  'a certificate of no bytes': (hello) =>
    Buffer.concat([
      said(serverHello(hello)),
      handshake(messages.certificate, Buffer.concat([long(3), long(0)])),
    ]),
  'a certificate of nonsense': (hello) =>
    Buffer.concat([
      said(serverHello(hello)),
      handshake(messages.certificate, Buffer.concat([long(67), long(64), randomBytes(64)])),
    ]),
  'a certificate of 16 MB, announced': (hello) =>
    Buffer.concat([
      said(serverHello(hello)),
      record(
        types.handshake,
        Buffer.concat([Buffer.from([messages.certificate]), long(0xffffff), randomBytes(4096)]),
      ),
    ]),
  'a heartbeat that asks for more than it brings (CVE-2014-0160)': () =>
    record(types.heartbeat, Buffer.from([1, 0x40, 0x00])),
  'a record longer than records are': () =>
    Buffer.concat([Buffer.from([types.handshake, 3, 3, 0xff, 0xff]), randomBytes(70_000)]),
  'a record of an unknown type': (hello, mark) => record(99, text(mark)),
  'empty records, a hundred thousand': () =>
    Buffer.concat(Array.from({ length: 100_000 }, () => record(types.handshake, empty))),
  'warnings, a hundred thousand': () => Buffer.concat(Array.from({ length: 100_000 }, () => alert(1, 90))),
  'ChangeCipherSpec, a hundred thousand': () =>
    Buffer.concat(Array.from({ length: 100_000 }, () => record(types.changeCipherSpec, Buffer.from([1])))),
  'HelloRequest, ten thousand': () =>
    Buffer.concat(Array.from({ length: 10_000 }, () => handshake(0, empty))),
  'the alert: handshake failure': () => alert(2, 40),
  'the alert: unknown name': () => alert(2, 112),
  'the alert: unknown name, as a warning': () => alert(1, 112),
  'the alert: no such protocol (ALPN)': () => alert(2, 120),
  'the alert: close': () => alert(1, 0),
  'the alert: a code that is none': () => alert(2, 250),
  'an alert of three bytes': () => record(types.alert, Buffer.from([2, 40, 40])),
};

/** Answers that older versions of TLS give, and those a server begins with that goes on saying nothing. */
export const tooOld = ['an SSLv3 hello', 'TLS 1.0', 'TLS 1.1', 'TLS 1.1 with the mark of a downgrade'];
