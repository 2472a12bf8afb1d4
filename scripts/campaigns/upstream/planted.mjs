// Places that a careless developer might break, each to be found by the short form.

export const plantedUpstream = [
  {
    name: 'throws away what stands behind the go-ahead for TLS',
    file: 'src/mail/prologue-result.ts',
    find: 'if (!result.ok || left.length === 0) return result;',
    replace: 'if (!result.ok || left.length >= 0) return result;',
  },
  {
    name: 'takes PREAUTH for a greeting before TLS',
    file: 'src/mail/imap.ts',
    find: "if (word === 'OK') return 'positive';",
    replace: "if (word === 'OK' || word === 'PREAUTH') return 'positive';",
  },
  {
    name: 'serves a key that a CA vouches for in place of the pinned one',
    file: 'src/trust/policy.ts',
    find: 'if (!handsOver || predecessor === null) return refuseMismatch(bench);',
    replace:
      'if (!handsOver || predecessor === null) return bench.caValid ? acceptCa(bench) : refuseMismatch(bench);',
  },
  {
    name: 'does not wait for the greeting of POP3 and SMTP over implicit TLS',
    file: 'src/proxy/prove.ts',
    find: "if (upstreamTls === 'implicit')",
    replace: "if (upstreamTls === 'implicit' && protocol === 'imap')",
  },
  {
    name: 'begins the wait for a greeting anew with each byte',
    file: 'src/net/speak.ts',
    find: 'if (!take(talk.feed(chunk))) return;',
    replace: 'timer.refresh();\n          if (!take(talk.feed(chunk))) return;',
  },
  {
    name: 'keeps the connection to a server it refused',
    file: 'src/proxy/session.ts',
    find: "both in the tick of a handshake's end crash Node.\n      sockets.socket.destroy();",
    replace: "both in the tick of a handshake's end crash Node.\n      sockets.socket.pause();",
  },
  {
    name: 'does not count failures',
    file: 'src/ops/metric-moves.ts',
    find: 'return counter.failures_total.inc({ route, reason: event.reason });',
    replace: 'return counter.failures_total.inc({ route, reason: event.reason }, 0);',
  },
  {
    name: 'takes any tagged answer to STARTTLS for the go-ahead',
    file: 'src/mail/imap.ts',
    find: "return answer.state === 'ok' ? goAhead : refused('starttls-refused', answer.said);",
    replace:
      "return answer.state === 'ok' || answer.state === 'no' ? goAhead : refused('starttls-refused', answer.said);",
  },
  {
    name: 'believes TLSA records that nothing proves',
    file: 'src/net/tlsa-look-up.ts',
    find: "if (!message.isAuthentic) return { state: 'insecure'",
    replace: "if (!message.isAuthentic && records.length === 0) return { state: 'insecure'",
  },
  {
    name: 'takes an answer of a resolver whose id is another',
    file: 'src/net/resolver.ts',
    find: 'message.id === id &&',
    replace: 'message.id >= 0 && id >= 0 &&',
  },
  {
    name: 'keeps a connection ready that was greeted with a no',
    file: 'src/proxy/warm-pool.ts',
    find: "if (verdict === 'positive' && behind === 0) return;",
    replace: 'if (verdict !== null && behind === 0) return;',
  },
  {
    name: 'keeps a connection ready whose key it refuses',
    file: 'src/proxy/warm-pool.ts',
    find: "if (verdict.accept && verdict.basis !== 'first-use') return;",
    replace: "if (verdict.accept || verdict.reason !== 'key-rejected') return;",
  },
];
