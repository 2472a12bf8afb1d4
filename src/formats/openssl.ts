// A command line for openssl s_client: DANE-EE (RFC 6698, usage 3) on the key alone, given by hand. It compares the
// key and looks neither at a CA nor at dates.

import { bracketed } from '../endpoint.ts';
import { keyDigest, type Printer } from './printing.ts';

const starttls: Readonly<Record<number, string>> = {
  25: 'smtp',
  587: 'smtp',
  110: 'pop3',
  143: 'imap',
  4190: 'sieve',
};

export const printOpenssl: Printer = ({ endpoint, pins }) => {
  const { host, port } = endpoint;
  const protocol = starttls[port];
  const words = [
    `openssl s_client -connect ${bracketed(host)}:${port}`,
    ...(protocol === undefined ? [] : [`-starttls ${protocol}`]),
    `-dane_tlsa_domain ${host}`,
    ...pins.map(({ spki }) => `-dane_tlsa_rrdata "3 1 1 ${keyDigest(spki)}"`),
    '-verify_return_error',
  ];
  return { lines: [words.join(' ')] };
};
