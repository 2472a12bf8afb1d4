// What a person can do about each fault of a certificate: for `explain FAULT` and the page of codes.

import type { Fault } from './fault.ts';

const askOperator = 'Ask the operator of the server for a new certificate.';

export const faultAdvice: Readonly<Record<Fault, string>> = {
  malformed: `${askOperator} letterlock cert FILE shows what could be read of this one.`,
  revoked:
    'Do not use this server until its operator shows a new certificate: a CA took this one back, most often because its key was lost to somebody.',
  'clock-suspect':
    'Set the clock of this machine (timedatectl, ntpdate). It shows a time before this program was built, or every one of at least three servers shows dates that cannot be right. Nothing new is trusted until then; pinned keys go on.',
  'known-interceptor':
    'Switch off the scanning of mail in the antivirus program, log in to the network in a browser, or use another network. If the interception is wanted (a proxy of your company), trust its key yourself: letterlock pins approve, or pins: in the configuration. See docs/interceptors.md.',
  'weak-key': `${askOperator} Its key, or that of a CA above it, can be broken with today's means.`,
  'weak-signature': `${askOperator} A signature in its chain can be forged.`,
  'unknown-critical-extension': `${askOperator} It says that it must not be used by whoever does not understand an extension in it, and letterlock does not.`,
  'self-signed':
    'That is usual for private servers: compare the fingerprint and pin the key. A server that had a certificate of a CA before should not have one.',
  'unknown-issuer': 'Name the CA with caFile if it is your own, or pin the key of the server.',
  'incomplete-chain':
    'The operator of the server has to install the intermediate certificates with it (the fullchain file). Until then, caFile can name them.',
  expired: 'The operator of the server has to renew it.',
  'not-yet-valid': 'Check the clock of this machine; if it is right, the certificate is of no use yet.',
  'issuer-expired': 'The operator of the server has to install the newer certificate of the CA.',
  'staple-missing':
    'The operator of the server has to switch OCSP stapling on, or to get a certificate without must-staple.',
  'name-mismatch':
    'Check the name of the server in the configuration; the certificate shows the names it is for. With another address: the route option address.',
  'name-only-in-cn':
    'The operator of the server has to put the name into subjectAltName; the subject alone has not counted since RFC 2818.',
  'wildcard-misused':
    'The operator of the server has to name the server in full, or with one * as the whole left-most label.',
  'wrong-purpose': `${askOperator} This one, or a CA above it, is for something else (clients, mail signatures).`,
  'not-a-ca':
    'Do not trust it: somebody issued a certificate who has no right to. Where the CA is your own, it lacks basicConstraints CA:TRUE or the key usage keyCertSign.',
  'path-too-long': 'The operator of the CA has to issue it from a CA that may have others below it.',
  'name-constraint':
    'Do not trust it: a CA issued a certificate for a name that is not its own to name. Where the CA is your own, widen its name constraints. A wildcard counts as every name it covers.',
  'off-profile':
    'Make the certificate anew with current tools. The usual reasons: no authorityKeyIdentifier (the -extfile of openssl x509 needs the line authorityKeyIdentifier=keyid), a CA without subjectKeyIdentifier, basicConstraints of a CA that are not critical, keyCertSign in the certificate of a server. Until then, pin the key. docs/strictness.md lists the rules.',
  v1: `${askOperator} Version 1 and 2 cannot say for what they are.`,
  'bad-serial': `${askOperator} A serial number is positive and has at most 20 octets.`,
  'ca-as-leaf': `${askOperator} With the key of this one a server could issue certificates.`,
};
