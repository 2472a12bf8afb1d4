// HTTP CONNECT (RFC 9110 section 9.3.6), with Basic credentials (RFC 7617) where there are any. The head of the
// response is read byte by byte: whatever follows its empty line was sent by the mail server. No header tells of us.

import { bracketed } from '../endpoint.ts';
import { escapeText } from '../trust/escape.ts';
import {
  failedVia,
  refusedVia,
  type ViaEnd,
  type ViaLogin,
  type ViaSteps,
  type ViaTalk,
  type ViaTarget,
} from './via-talk.ts';

/** All response heads together, interim ones included. */
const maxHeadBytes = 8 * 1024;
const maxReason = 60;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

export function* httpTalk({ host, port }: ViaTarget, login: ViaLogin | null): ViaTalk {
  const authority = `${bracketed(host)}:${port}`;
  const credentials =
    login === null
      ? []
      : [`Proxy-Authorization: Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`];
  const request = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, ...credentials, '', ''].join(
    '\r\n',
  );
  let send: Uint8Array = Buffer.from(request, 'latin1');
  let left = maxHeadBytes;
  for (;;) {
    const head = yield* readHead(send, left);
    if (typeof head !== 'string') return head;
    send = nothing;
    left -= head.length;
    const end = outcomeOf(head, login);
    if (end !== 'interim') return end;
  }
}

/** Up to and including the empty line, or why there is none. */
function* readHead(request: Uint8Array, most: number): ViaSteps<string | ViaEnd> {
  const head = Buffer.alloc(most);
  let length = 0;
  for (let send = request; length < most; send = nothing) {
    const [byte = 0] = yield { send, read: 1 };
    head[length] = byte;
    length += 1;
    if (length <= 5 && !isStartOfHttp(head.subarray(0, length))) return refusedVia('it does not speak HTTP');
    if (byte === lineFeed && head[length - 2] !== carriageReturn)
      return refusedVia('its answer has a line that does not end in CR LF');
    if (byte === lineFeed && length >= 4 && head[length - 3] === lineFeed)
      return head.toString('latin1', 0, length);
  }
  return refusedVia(`its answer is longer than ${maxHeadBytes} bytes`);
}

const isStartOfHttp = (beginning: Buffer): boolean => 'HTTP/'.startsWith(beginning.toString('latin1'));

function outcomeOf(head: string, login: ViaLogin | null): ViaEnd | 'interim' {
  const found = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n/.exec(head);
  if (found === null) return refusedVia('its answer has no status that can be read');
  const status = Number(found[1]);
  // Whatever a 2xx says of a body: there is none, the tunnel begins behind the head.
  if (status >= 200 && status < 300) return { opened: true };
  if (status >= 100 && status < 200 && status !== 101) return 'interim';
  // A proxy that was sent a login may say it back, in whatever form, and what it says is logged.
  const reason = login === null ? escapeText((found[2] ?? '').slice(0, maxReason)) : '';
  const said = `${status} ${reason}`.trimEnd();
  if (status === 407)
    return refusedVia(`${said}: ${login === null ? 'it asks for a login' : 'it did not accept the login'}`);
  return status >= 500 || status === 429 ? failedVia(said) : refusedVia(said);
}

const nothing = new Uint8Array(0);
