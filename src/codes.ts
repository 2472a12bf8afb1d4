// The one table of codes. Sentences, exit codes, metric labels, client texts and docs headings are all generated from
// it and from nothing else. The codes are public: they change only in a major version.

/** How a refusal is said to a client: permanent ones need a person, temporary ones may pass by themselves. */
export type Permanence = 'permanent' | 'temporary';

interface CodeFacts {
  readonly permanence: Permanence;
  /** The cause, as it stands in `letterlock refused NAME: CAUSE.`; ASCII, no final stop, right when upper-cased. */
  readonly cause: string;
  /** What a person can do about it, one or two sentences. */
  readonly advice: string;
}

export const refusals = {
  'certificate-unreadable': {
    permanence: 'permanent',
    cause: 'its certificate could not be read',
    advice:
      'The server sent a certificate whose key cannot be decoded. Ask the operator of the mail server to replace it.',
  },
  'session-resumed': {
    permanence: 'permanent',
    cause: 'it resumed a TLS session and showed no certificate',
    advice:
      'letterlock never asks to resume a session; whoever answered is not behaving like a TLS server. Try from another network.',
  },
  'key-rejected': {
    permanence: 'permanent',
    cause: 'its key was rejected here',
    advice:
      'Somebody rejected this key on this machine. If that was a mistake: letterlock pins approve ENDPOINT --expect PIN --unreject.',
  },
  'certificate-revoked': {
    permanence: 'permanent',
    cause: 'its certificate was revoked',
    advice:
      'The CA took the certificate back, mostly because its key was stolen or replaced; no pin outweighs that. ' +
      'The operator of the mail server has to install a new one.',
  },
  'pin-mismatch': {
    permanence: 'permanent',
    cause: 'its key changed',
    advice:
      'Ask the operator of the server, by another way than this mail server, whether the key was changed and what its fingerprint is. ' +
      'If it was: letterlock pins approve ENDPOINT --expect FINGERPRINT. If not, somebody may stand between you and the server.',
  },
  'pins-spent': {
    permanence: 'permanent',
    cause: 'none of its pinned keys is valid any more',
    advice:
      'Every pin of this endpoint was rejected or has ended. Approve the key you expect, or forget the endpoint to start over.',
  },
  'ca-invalid': {
    permanence: 'permanent',
    cause: 'no trusted CA vouches for its certificate',
    advice:
      'The policy asks for a CA-verified certificate. Correct the server, name its CA with caFile, or choose another trust policy.',
  },
  'ca-lost': {
    permanence: 'permanent',
    cause: 'its certificate was CA-verified before and is not now',
    advice:
      'Most often the certificate ran out or a wrong one was installed; it can also be an impostor. Wait for the operator to renew it, ' +
      'or, when you know this key: letterlock pins approve ENDPOINT --expect FINGERPRINT (for 7 days).',
  },
  'first-use-off': {
    permanence: 'permanent',
    cause: 'its key is unknown and first use is off',
    advice:
      'firstUse is refuse for this endpoint. Compare the fingerprint and run letterlock pins approve or letterlock pins add.',
  },
  'not-pinned': {
    permanence: 'permanent',
    cause: 'its key is not among the pinned ones',
    advice:
      'The policy pinned takes no new key in. Add the key with pins: in the configuration or letterlock pins add.',
  },
  'dane-mismatch': {
    permanence: 'permanent',
    cause: 'its key is not the one named by DANE',
    advice:
      'TLSA records, proven by DNSSEC, name other keys than the one the server showed. Either its operator changed the certificate and ' +
      'not the records, or somebody stands between you and the server. letterlock inspect shows both.',
  },
  'legacy-unpinned': {
    permanence: 'permanent',
    cause: 'it is a legacy server without a pin',
    advice:
      'legacyServer: true speaks TLS so weak that no CA and no first use can vouch for a key over it. ' +
      'Get the fingerprint from the operator of the server, then: letterlock pins approve ENDPOINT --expect FINGERPRINT, letterlock pins add, or pins: in the configuration.',
  },
  'starttls-missing': {
    permanence: 'permanent',
    cause: 'it does not offer STARTTLS',
    advice:
      'TLS is required and was not offered: the server lacks it, or somebody removed it on the way. Try the implicit-TLS scheme.',
  },
  'starttls-refused': {
    permanence: 'permanent',
    cause: 'it refused STARTTLS',
    advice:
      'The server lists STARTTLS and then did not go ahead with it. Try the implicit-TLS scheme, or ask its operator.',
  },
  'injected-bytes': {
    permanence: 'permanent',
    cause: 'somebody added bytes before TLS',
    advice:
      'Bytes arrived between the STARTTLS answer and the handshake. This is what a command-injection attack looks like.',
  },
  preauth: {
    permanence: 'permanent',
    cause: 'it claims a login that nobody made',
    advice:
      'A PREAUTH greeting before TLS prevents STARTTLS (RFC 9051 section 7.1.4); to a client that begins with STARTTLS of its own it ' +
      'cannot be passed on. Nothing was sent.',
  },
  'not-this-protocol': {
    permanence: 'permanent',
    cause: 'it does not speak the expected protocol',
    advice: 'Check scheme and port of the upstream: what answered there is another service.',
  },
  'tls-too-old': {
    permanence: 'permanent',
    cause: 'it only speaks TLS versions that are too old',
    advice:
      'The server offers nothing newer than TLS 1.1, or nothing as new as minVersion asks for. It needs an update; ' +
      'one that cannot have any can be reached with legacyServer: true and a pin.',
  },
  'store-unavailable': {
    permanence: 'temporary',
    cause: 'the pin store is not available',
    advice:
      'letterlock cannot read or write its pins and so learns and decides nothing. See letterlock status.',
  },
  'store-damaged': {
    permanence: 'temporary',
    cause: 'the pin store is damaged',
    advice:
      'Records are missing or altered, so nothing new is trusted. See letterlock pins verify and letterlock pins repair.',
  },
  'dane-unproven': {
    permanence: 'temporary',
    cause: 'DANE does not prove its key now',
    advice:
      'The policy asks for a TLSA record proven by DNSSEC. The resolver may be away, the zone unsigned or badly signed, or there is no ' +
      'such record: letterlock inspect says which. Another trust policy does without.',
  },
  'first-use-held': {
    permanence: 'temporary',
    cause: 'its key is new and waits for approval',
    advice:
      'Compare the fingerprint with the one the operator of the server gives you, then letterlock pins approve ENDPOINT --expect FINGERPRINT.',
  },
  'first-use-unsafe': {
    permanence: 'temporary',
    cause: 'a first use would not be safe now',
    advice:
      'A first use needs a right clock, loaded trust anchors and a sound certificate. letterlock explain shows which is missing.',
  },
} as const satisfies Record<string, CodeFacts>;

export type RefusalReason = keyof typeof refusals;

export const failures = {
  dns: { cause: 'its name could not be looked up', advice: 'Check the name and the network.' },
  dial: {
    cause: 'no connection could be made',
    advice: 'The server is down, the port is wrong, or a firewall is in the way.',
  },
  timeout: {
    cause: 'it did not answer in time',
    advice: 'The server or the network is slow. The limits stand under limits: in the configuration.',
  },
  'tls-failed': {
    cause: 'the TLS handshake failed',
    advice: 'letterlock inspect shows what the server offers.',
  },
  'no-greeting': {
    cause: 'it did not greet',
    advice: 'The server closed, refused service, or said nothing. Try again later.',
  },
  relay: { cause: 'the connection broke', advice: 'The connection was reset on the way.' },
  client: {
    cause: 'the client went away',
    advice: 'The mail client closed the connection before it was served.',
  },
  internal: {
    cause: 'letterlock made a mistake',
    advice: 'This is a bug in letterlock. Please report it with the log line.',
  },
} as const satisfies Record<string, Pick<CodeFacts, 'cause' | 'advice'>>;

export type FailureReason = keyof typeof failures;

/** Why a client was closed without being relayed or refused in its protocol. */
export const clientRejections = {
  limit: {
    cause: 'too many clients were connected to this route',
    advice: 'limits.connections is the number of clients one route serves at a time.',
  },
  draining: {
    cause: 'letterlock was shutting down, or the settings of its route changed',
    advice: 'Connect again.',
  },
  http: {
    cause: 'the client spoke HTTP',
    advice: 'A web browser or a monitor connected to a mail port. Check which program uses this port.',
  },
  'tls-on-plain': {
    cause: 'the client began TLS where none is spoken',
    advice: 'Set the connection security of the program to none, or clientTls: implicit for this route.',
  },
  'plain-on-tls': {
    cause: 'the client did not begin TLS where TLS is spoken',
    advice: 'Set the connection security of the program to SSL/TLS, or another clientTls for this route.',
  },
  alpn: {
    cause: 'the client asked for another protocol in its TLS handshake (ALPN)',
    advice:
      'It is no client of this mail protocol: perhaps a web browser that was led here. Check which program uses this port.',
  },
  protocol: {
    cause: 'the client did not keep to its protocol before TLS',
    advice:
      'It sent bytes behind STARTTLS, a line without an end, or too many commands. A mail program does not; the log tells which it was.',
  },
  'peer-uid': {
    cause: 'the client belongs to a user whom the route does not serve, or it cannot be told to whom',
    advice:
      'Add the user to allowUsers of the route. The log names the uid; docs/multi-user.md says what cannot be told.',
  },
} as const satisfies Record<string, Pick<CodeFacts, 'cause' | 'advice'>>;

export type ClientRejection = keyof typeof clientRejections;

/** What a program did with the library that cannot be made safe; nothing was sent. */
export const misuses = {
  'vouch-too-late': {
    cause: 'a socket was written to or read from before its server was vouched for',
    advice:
      "Call vouch in the socket's secureConnect, before anything else; or let tlsConnect make the socket.",
  },
  'endpoint-unknown': {
    cause: 'nothing says which port the connection leads to, so that no key can be remembered for it',
    advice: 'Pass host and port with the socket.',
  },
  'unguarded-socket': {
    cause: 'new tls.TLSSocket makes a client that cannot be held until its server is vouched for',
    advice: 'Use tls.connect({ socket, host, port }), which does the same.',
  },
} as const satisfies Record<string, Pick<CodeFacts, 'cause' | 'advice'>>;

export type Misuse = keyof typeof misuses;

export const isRefusal = (code: string): code is RefusalReason => Object.hasOwn(refusals, code);
export const isFailure = (code: string): code is FailureReason => Object.hasOwn(failures, code);
export const isMisuse = (code: string): code is Misuse => Object.hasOwn(misuses, code);
export const isClientRejection = (code: string): code is ClientRejection =>
  Object.hasOwn(clientRejections, code);

/** Exit codes of the command line; part of the public contract. */
export const exitCodes = {
  done: 0,
  internal: 1,
  usage: 2,
  config: 3,
  refused: 4,
  network: 5,
  store: 6,
  'not-found': 7,
  'no-daemon': 8,
} as const;
export type ExitName = keyof typeof exitCodes;
