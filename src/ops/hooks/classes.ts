// The closed list of what a hook can be told of. Names are public: they stand in configurations and in what is sent.
// One row for each class; configuration, notices and the reference page are made of it.

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

interface ClassFacts {
  /** Unless a notice knows better. */
  readonly severity: Severity;
  /** A hook without `on:` hears of it. */
  readonly usual: boolean;
  /** What happened, one sentence. */
  readonly when: string;
}

export const hookClasses = {
  'first-use': {
    severity: 'warning',
    usual: true,
    when: 'A key was pinned that nobody had seen or verified before. Its fingerprint should be compared.',
  },
  candidate: {
    severity: 'critical',
    usual: true,
    when: 'A server showed a key that is not trusted: it changed, or waits for approval. Told once for each key.',
  },
  refused: {
    severity: 'warning',
    usual: true,
    when: 'A client was refused. Not told for a key whose `candidate` was told just before.',
  },
  'ca-lost': {
    severity: 'critical',
    usual: true,
    when: 'A client was refused because a server that was CA-verified before is not any more.',
  },
  'pin-changed': {
    severity: 'warning',
    usual: true,
    when: 'What is trusted changed otherwise: by an operator, an end date, a promotion, a hand-over, an import, a repair.',
  },
  'retiring-key-in-use': {
    severity: 'warning',
    usual: true,
    when: 'A server still shows a key that stops being trusted soon.',
  },
  'certificate-expiring': {
    severity: 'warning',
    usual: true,
    when: 'Less than a fifth of the life of an accepted CA-verified certificate is left; critical below a twentieth. At most once a day.',
  },
  'certificate-renewed': {
    severity: 'info',
    usual: false,
    when: 'A server has a new certificate for the key it had.',
  },
  'corroboration-differs': {
    severity: 'critical',
    usual: true,
    when: 'A vantage point saw another key than the one about to be pinned; the first use is held.',
  },
  'probe-refused': {
    severity: 'critical',
    usual: true,
    when: 'A background probe met a key that would be refused, before any client did.',
  },
  'session-revoked': {
    severity: 'warning',
    usual: false,
    when: 'An open session was reset because its key lost its trust.',
  },
  failed: {
    severity: 'warning',
    usual: false,
    when: 'A client could not be served: no name, no connection, no answer, no TLS, or a mistake of letterlock.',
  },
  'client-rejected': {
    severity: 'info',
    usual: false,
    when: 'A client was closed without being served, such as one of another user or a web browser.',
  },
  'store-damaged': {
    severity: 'critical',
    usual: true,
    when: 'Records of the pin store are missing or altered; nothing new is trusted.',
  },
  'store-unavailable': {
    severity: 'critical',
    usual: true,
    when: 'The pin store cannot be read or written.',
  },
  'store-recovered': {
    severity: 'info',
    usual: true,
    when: 'The pin store is good again.',
  },
  'reload-failed': {
    severity: 'warning',
    usual: true,
    when: 'A new configuration has problems; the old one stays in force.',
  },
  reloaded: {
    severity: 'info',
    usual: false,
    when: 'A new configuration is in force.',
  },
  warning: {
    severity: 'warning',
    usual: true,
    when: 'Something else in the log at level warn: a revocation list that is out of date, a certificate of the local CA.',
  },
  started: {
    severity: 'info',
    usual: false,
    when: 'letterlock listens.',
  },
  stopped: {
    severity: 'info',
    usual: false,
    when: 'letterlock ends in good order.',
  },
  test: {
    severity: 'info',
    usual: true,
    when: 'Somebody ran `letterlock hooks test`. Told to every hook, whatever stands in its `on:`.',
  },
} as const satisfies Record<string, ClassFacts>;

export type HookClass = keyof typeof hookClasses;

const isClass = (name: string): name is HookClass => Object.hasOwn(hookClasses, name);

export const hookClassNames: readonly HookClass[] = Object.keys(hookClasses).filter(isClass);

/** What `on:` may name. */
export const chosenClassNames = hookClassNames.filter((name) => name !== 'test');

/** Of a hook without `on:`. */
export const usualClasses: readonly HookClass[] = chosenClassNames.filter((name) => hookClasses[name].usual);
