// Places that a careless developer could break, and that the campaign has to find.

export const planted = [
  {
    name: 'does not know HTTP when it sees it',
    file: 'src/mail/first-bytes.ts',
    find: "if (requestStart.test(line) || requestLine.test(line)) return 'http';",
    replace: "if ((requestStart.test(line) || requestLine.test(line)) && held < 0) return 'http';",
  },
  {
    name: 'binds localhost on one family',
    file: 'src/proxy/listen-tcp.ts',
    find: "return ['127.0.0.1', '::1'];",
    replace: "return ['127.0.0.1'];",
  },
  {
    name: 'keeps the bytes behind STARTTLS',
    file: 'src/proxy/client-tls.ts',
    find: "if (end.left.length > 0) throw rejected('protocol', route);\n  await secureClient(leg, options);",
    replace: 'await secureClient(leg, options);\n  leg.hold(end.left);',
  },
  {
    name: 'drops the bytes behind STARTTLS and goes on',
    file: 'src/proxy/client-tls.ts',
    find: "  if (end.left.length > 0) throw rejected('protocol', route);\n",
    replace: '',
  },
  {
    name: 'mends the ends of lines',
    file: 'src/net/relay.ts',
    find: 'const passed = this.#held === null ? chunk : this.#recognise(chunk);',
    replace: `const mended = Buffer.from(chunk).toString('latin1').replaceAll('\\r\\n.\\n', '\\r\\n.\\r\\n');
    const mine = Buffer.from(mended, 'latin1');
    const passed = this.#held === null ? mine : this.#recognise(mine);`,
  },
  {
    name: 'serves every user it can tell',
    file: 'src/proxy/strangers.ts',
    find: 'if (uid === overflowUid || !route.allowUsers.includes(uid))',
    replace: 'if (uid === overflowUid)',
  },
  {
    name: 'does not look above the state directory',
    file: 'src/store/directory.ts',
    find: "if (weak === null || weak.kind === 'absent') return;",
    replace: "if (weak === null || weak.kind !== 'no-folder') return;",
  },
  {
    name: 'waits for a client without an end',
    file: 'src/net/local-handshake.ts',
    find: '      options.deadlineMs,\n    );',
    replace: '      options.deadlineMs * 100,\n    );',
  },
  {
    name: 'takes the first of two Origins',
    file: 'src/admin/web/guard.ts',
    find: 'if (origin !== undefined && single(origin) !== ownOrigin) return true;',
    replace: 'if (origin !== undefined && origin[0] !== ownOrigin) return true;',
  },
  {
    name: 'lets a crowd at the metrics page keep out scrapers',
    file: 'src/ops/metrics-server.ts',
    find: "const crowd = new Crowd(server, { most: maxConnections, whenAllKnown: 'oldest' });",
    replace: 'const crowd = new Crowd(server, { most: 1000 });\n  server.maxConnections = maxConnections;',
    says: /a scrape /,
  },
  {
    name: 'takes thousands of requests of one connection at once',
    file: 'src/net/alone.ts',
    find: 'asking.add(socket);',
    replace: 'void asking;',
    says: /in a crowd|memory|crowd over HTTP/,
  },
];
