// What a script of the hostile server is: plain data, played by server.mjs and judged by oracle.mjs.
//
//   name, kind        unique together; the kind is the class of attack, as docs/assurance.md lists it
//   protocol, mode    imap, pop3, smtp, lmtp, sieve; implicit or starttls
//   steps             what the server does, one after the other (below)
//   ends              the codes of which one must come: `accept`, or the reason of a refusal or failure
//   waits             limits that the script lets run out, in words of `limits`; a refusal comes later by so much
//   route             settings of the route besides: trust, firstUse, refusal, addresses, via, ...
//   learns            a good session goes before, so that there is a record
//   again             so many clients more, each when the one before was answered
//   crowd             so many clients at once
//   dials             connections that reach the hostile server; one where it is not said
//   retried           a reset may come before the proxy saw its connection: it may dial again, and say so
//   learnsFrom        of whom, where it is not `good`
//   dns               `{answer, of}`: what the resolver says while it is played (resolver.mjs), and of whose key
//   dnsBefore         what it says in the good session before; `right` where it is not said
//   fills             steps of the connections that are made ahead of a client (`warm`), after the first good session
//   keeps             of those: `yes`, `no`, or `either` (who is first is nobody's fault)
//   lingers           of those: what is waited for takes a limit's time, whoever comes meanwhile
//   each              what becomes of each visit, where it is not the same of all
//   group             the short form plays one of a group; kind and name where it is not said
//   after             `same` (the default): a good session works on the same route afterwards; `none`: it cannot
//   needs             `pins`: an attack only on who remembers keys; `route`: on a setting that only letterlock has
//   pace              how what is said is cut into segments: whole, bytes, crlf, slow
//   client            polite (waits for its greeting) or hasty (says its whole login at once as well)
//
// Steps:
//   {say: text, answers?}       {c} in it is the mark that must not reach the client, {p} that of `fills`, {1} and {2} are the tags of the
//                               proxy's question and of its STARTTLS; `answers`: left out when the question was not asked
//   {hear: 'ask'|'start'|'line'}  waits for that command of the proxy, or any line
//   {wait: ms}
//   {tls: identity, with?, pace?}  the handshake as a server, with a certificate of authority.mjs and options of Node
//   {raw: name}                 an answer of raw-tls.mjs to the ClientHello
//   {clear: text}               written to the TCP connection whatever runs on it
//   {cut: {at, end}}            from here on only so many bytes more, then fin, rst or stay
//   {flood: text, bytes}        says it again and again
//   {drip: text, ms}            one byte each so often, again and again
//   {stand: true}               until clients come: it stays, ready or not
//   {renegotiate: true}          asks for another handshake, as TLS 1.2 lets it
//   {end: 'fin'|'rst'|'stay'|'notify'}
//   {serve: true}               answers everything with yes, for ever
//
// Text given as a list is lines, each with CR LF.

export const modes = ['implicit', 'starttls'];
export const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve'];

/** LMTP is spoken with STARTTLS only. */
export const pairs = protocols.flatMap((protocol) =>
  modes.filter((mode) => protocol !== 'lmtp' || mode === 'starttls').map((mode) => ({ protocol, mode })),
);

const text = (said) => (Array.isArray(said) ? said.map((line) => `${line}\r\n`).join('') : said);

/** What a good server says, by protocol: in clear before TLS, and its greeting (for ManageSieve its list) inside. */
export const honest = {
  imap: {
    greeting: ['* OK {c} ready'],
    list: ['* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED', '{1} OK CAPABILITY completed {c}'],
    go: ['{2} OK Begin TLS negotiation {c}'],
    inside: ['* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] {c} ready'],
  },
  pop3: {
    greeting: ['+OK {c} ready'],
    list: ['+OK {c}', 'TOP', 'STLS', 'UIDL', '.'],
    go: ['+OK Begin TLS {c}'],
    inside: ['+OK {c} ready'],
  },
  smtp: {
    greeting: ['220 {c} ESMTP ready'],
    list: ['250-{c}', '250-PIPELINING', '250 STARTTLS'],
    go: ['220 2.0.0 go {c}'],
    inside: ['220 {c} ESMTP ready'],
  },
  lmtp: {
    greeting: ['220 {c} LMTP ready'],
    list: ['250-{c}', '250-PIPELINING', '250 STARTTLS'],
    go: ['220 2.0.0 go {c}'],
    inside: ['220 {c} LMTP ready'],
  },
  sieve: {
    greeting: ['"IMPLEMENTATION" "{c}"', '"SIEVE" "fileinto"', '"STARTTLS"', '"VERSION" "1.0"', 'OK "{c}"'],
    list: [],
    go: ['OK "{c}"'],
    inside: ['"IMPLEMENTATION" "{c}"', '"SASL" "PLAIN"', '"SIEVE" "fileinto"', '"VERSION" "1.0"', 'OK "{c}"'],
  },
};

/** The steps in clear up to the go-ahead, with `changes` in place of honest lines. `behind` comes in one segment with it. */
export function inClear(protocol, changes = {}) {
  const { greeting, list, go, behind = '' } = { ...honest[protocol], ...changes };
  const question = protocol === 'sieve' ? [] : [{ hear: 'ask' }, { say: text(list), answers: 'ask' }];
  return [{ say: text(greeting) }, ...question, { hear: 'start' }, { say: text(go) + text(behind) }];
}

/** What only comes inside TLS by itself: a greeting where TLS comes first, the list of ManageSieve in any case. */
export const greetsInside = (protocol, mode) => mode === 'implicit' || protocol === 'sieve';

/** All that a good server does. */
export function goodSteps(protocol, mode, { identity = 'good', inside, ...changes } = {}) {
  const said = text(inside ?? honest[protocol].inside);
  return [
    ...(mode === 'starttls' ? inClear(protocol, changes) : []),
    { tls: identity },
    ...(greetsInside(protocol, mode) ? [{ say: said }] : []),
    { serve: true },
  ];
}

const written = (steps) =>
  steps.map((step) => (Array.isArray(step.say) ? { ...step, say: text(step.say) } : step));

/** One script; says what is wrong with it, so that a slip of the pen is not taken for a result. */
export function script(given) {
  const made = {
    pace: 'whole',
    client: 'polite',
    waits: [],
    route: {},
    after: 'same',
    dials: 1,
    retried: false,
    learns: false,
    learnsFrom: 'good',
    dns: null,
    dnsBefore: 'right',
    fills: null,
    keeps: 'either',
    lingers: false,
    each: null,
    group: null,
    again: 0,
    crowd: 1,
    needs: null,
    ...given,
    ends: given.retried === true ? [given.ends, 'dial'].flat() : [given.ends].flat(),
    steps: written(given.steps),
    ...(given.fills ? { fills: written(given.fills) } : {}),
  };
  const { name, protocol, mode, kind, ends } = made;
  if (!pairs.some((pair) => pair.protocol === protocol && pair.mode === mode))
    throw new TypeError(`${name}: no ${protocol} over ${mode}`);
  if (!name || !kind || ends.length === 0) throw new TypeError(`a script needs name, kind and ends: ${name}`);
  return made;
}

/**
 * Scripts of a STARTTLS prologue from rows `[kind, name, changes, ends, more?]`. A server that was let through does TLS as a
 * good one; one that is refused would take a login in clear.
 */
export function prologueScripts(protocol, rows) {
  return rows.map(([kind, name, changes, ends, more = {}]) => {
    const { later, ...lines } = changes;
    const steps = [
      ...inClear(protocol, lines),
      ...(later === undefined ? [] : [{ wait: later.ms }, { clear: text(later.say) }]),
      ...(lines.stay === true ? [{ end: 'stay' }] : []),
      ...afterClear(protocol, lines, [ends].flat()),
    ];
    return script({ kind, name, protocol, mode: 'starttls', steps, ends, ...more });
  });
}

function afterClear(protocol, lines, ends) {
  if (lines.stay === true) return [];
  const inside = greetsInside(protocol, 'starttls') ? [{ say: text(honest[protocol].inside) }] : [];
  // Bytes that were injected are followed by a real handshake: whoever overlooks them is served.
  const goesOn = ends.some((end) => end === 'accept' || end === 'injected-bytes' || end === 'tls-failed');
  return goesOn ? [{ tls: 'good' }, ...inside, { serve: true }] : [{ serve: true }];
}
