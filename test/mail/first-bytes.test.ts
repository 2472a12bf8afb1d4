import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstBytesLimit, recogniseFirstBytes, type FirstBytesVerdict } from '../../src/mail/first-bytes.ts';
import type { Protocol } from '../../src/mail/protocol.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const endless = (start: string): string => start.padEnd(firstBytesLimit, 'x');

const rows: readonly (readonly [FirstBytesVerdict, string, Protocol?])[] = [
  ['http', 'GET / HTTP/1.1\r\nHost: localhost\r\n'],
  ['http', 'GET /'],
  ['http', 'POST http://127.0.0.1:1143/ HTTP/1.1\r\n'],
  ['http', 'PUT /x'],
  ['http', 'HEAD /x'],
  ['http', 'DELETE /x'],
  ['http', 'PATCH /x'],
  ['http', 'TRACE /x'],
  ['http', 'OPTIONS * HTTP/1.1\r\n'],
  ['http', 'CONNECT mail.example.org:25 HTTP/1.1\r\n'],
  ['http', 'PRI * HTTP/2.0\r\n\r\nSM\r\n'],
  ['http', 'PROPFIND /dav HTTP/1.1\r\n'],
  ['http', 'post / HTTP/1.1\n'],
  ['http', "x!#$%&'*+.^_`|~ /path HTTP/1.0"],
  ['http', endless('PROPFIND /')],
  ['http', endless("x1!#$%&'*+.^_`|~- https://")],
  ['undecided', ''],
  ['undecided', 'G'],
  ['undecided', 'GET '],
  ['undecided', 'CONNECT mail.example.org:25 HTT'],
  ['undecided', 'a1 LOGIN'],
  ['undecided', endless('a1 LOGIN ').slice(1)],
  ['mail', endless('a1 LOGIN ')],
  ['mail', endless('GET LOGIN ')],
  ['mail', 'a1 CAPABILITY\r\n'],
  ['mail', 'EHLO [127.0.0.1]\r\n'],
  ['mail', 'CAPA\n'],
  ['mail', '\r\n'],
  ['mail', 'GET LOGIN bob secret\r\n'],
  ['mail', 'GET CAPABILITY\r\n'],
  ['mail', 'POST SELECT /inbox\r\n'],
  ['mail', 'a1 LOGIN bob HTTP/1.1\r\n'],
  ['mail', 'GETSCRIPT "a"\r\n', 'sieve'],
  ['mail', 'PUTSCRIPT "a" {3+}\r\n', 'sieve'],
  ['mail', 'DELETESCRIPT "/a"\r\n', 'sieve'],
  ['mail', 'USER /home/bob\r\n', 'pop3'],
  ['tls', '\x16\x03\x01\x02\0\x01'],
  ['tls', '\x16\x03'],
  ['undecided', '\x16'],
  ['mail', '\x16\x04'],
  ['tls', '\x80\x2e\x01\x03\x01'],
  ['tls', '\x80\x2e\x01\x00\x02'],
  ['undecided', '\x80\x2e\x01'],
  ['mail', '\x80\x2e\x02'],
  ['mail', '\x80\x2e\x01\x04'],
  ['mail', '\xc3\xa4 NOOP\r\n'],
  ['mail', '', 'tls'],
  ['mail', '\x16\x03\x01', 'tls'],
  ['mail', 'GET / HTTP/1.1\r\n', 'tls'],
];

describe('first bytes of a client', () => {
  for (const [verdict, text, protocol = 'imap'] of rows) {
    it(`${JSON.stringify(text.slice(0, 50))} on ${protocol} is ${verdict}`, () => {
      expect(recogniseFirstBytes(bytes(text), protocol)).toBe(verdict);
    });
  }

  it('stay decided, however much follows', () => {
    const decided = rows.filter(([verdict, , protocol]) => verdict !== 'undecided' && protocol !== 'tls');
    fc.assert(
      fc.property(
        fc.constantFrom(...decided),
        fc.string({ unit: 'binary-ascii', maxLength: 5000 }),
        (row, more) => {
          const [verdict, text] = row;
          // A row that ends inside its line may still become a request; whole lines and binary starts may not.
          fc.pre(text.includes('\n') || verdict !== 'mail' || text.charCodeAt(0) < 0x20);
          expect(recogniseFirstBytes(bytes(text + more), 'imap')).toBe(verdict);
        },
      ),
    );
  });

  it('are never held beyond the limit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: firstBytesLimit, maxLength: firstBytesLimit + 10 }), (noise) => {
        expect(recogniseFirstBytes(noise, 'smtp')).not.toBe('undecided');
      }),
    );
  });
});
