// Tells a browser and a TLS client from a mail client by their first bytes, before any of them is relayed: a
// web page can make a browser post whole mail dialogues to a local port. Mail words that look like verbs
// (GETSCRIPT, a tag called GET) stay mail: HTTP needs the version, or a known verb and then a path or URL.

import type { Protocol } from './protocol.ts';

export type FirstBytesVerdict = 'undecided' | 'http' | 'tls' | 'mail';

/** More than this is never held; a first line longer than it is judged by its beginning. */
export const firstBytesLimit = 4096;

/** RFC 9112 section 3: method SP request-target SP HTTP-version; any method, as a page may choose its own. */
const requestLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ +[^ ]+ +HTTP\/\d/;
/** No mail command is followed by a path or a web URL, whatever the tag before it is called. */
const requestStart = /^(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|TRACE) +(?:\/|https?:\/\/)/;
/** A request of a verb we do not know, cut off by the limit. */
const endlessStart = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ +(?:\/|https?:\/\/)/;

/**
 * Judges everything the client sent so far. `undecided` asks to hold it and to come again with more; it ends at
 * the first line feed or at `firstBytesLimit`. For `tls` routes every beginning is the client's own affair.
 */
export function recogniseFirstBytes(bytes: Uint8Array, protocol: Protocol): FirstBytesVerdict {
  if (protocol === 'tls') return 'mail';
  return recogniseTls(bytes) ?? recogniseHttp(bytes);
}

/** RFC 8446 section 5.1 (a handshake record), RFC 5246 appendix E.2 (an SSLv2 hello); null: text. */
function recogniseTls(bytes: Uint8Array): 'tls' | 'undecided' | 'mail' | null {
  const [first = 0, second, third, fourth] = bytes;
  if (first === 0x16) return second === undefined ? 'undecided' : second === 0x03 ? 'tls' : 'mail';
  if (first < 0x80) return null;
  if (third !== undefined && third !== 0x01) return 'mail';
  if (fourth === undefined) return 'undecided';
  return fourth === 0x03 || fourth === 0x00 ? 'tls' : 'mail';
}

function recogniseHttp(bytes: Uint8Array): 'http' | 'undecided' | 'mail' {
  const held = Buffer.from(bytes.subarray(0, firstBytesLimit)).toString('latin1');
  const [line = '', ...more] = held.split('\n', 2);
  if (requestStart.test(line) || requestLine.test(line)) return 'http';
  if (more.length > 0) return 'mail';
  if (bytes.length < firstBytesLimit) return 'undecided';
  return endlessStart.test(line) ? 'http' : 'mail';
}
