// The greeting a client gets after an upstream STARTTLS. It is a constant: the server's own greeting came in
// clear and may be anybody's. No capability code, which would be a promise about a server not asked yet, and
// no `<stamp>`, which would start an APOP exchange over a challenge nobody vouched for (CVE-2007-1558).

import type { Protocol } from './protocol.ts';

/**
 * Bytes to greet the client with. Empty for ManageSieve, whose server issues its capabilities again after TLS
 * (RFC 5804 section 2.2), and for `tls`, which has no greeting of ours.
 */
export function localGreeting(protocol: Protocol): Uint8Array {
  return Buffer.from(greetingText(protocol), 'latin1');
}

function greetingText(protocol: Protocol): string {
  switch (protocol) {
    case 'imap':
      return '* OK letterlock ready\r\n';
    case 'pop3':
      return '+OK letterlock ready\r\n';
    case 'smtp':
      return '220 letterlock ESMTP ready\r\n';
    case 'lmtp':
      return '220 letterlock LMTP ready\r\n';
    case 'sieve':
    case 'tls':
      return '';
  }
}
