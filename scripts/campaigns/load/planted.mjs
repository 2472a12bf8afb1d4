// Places of the sources that somebody careless could break, and this campaign has to find.

export const planted = [
  {
    name: 'forgets no session whose client has gone',
    file: 'src/proxy/proxy.ts',
    find: 'const over = (): void => this.#sessions.remove(session);',
    replace:
      'const over = (): void => {\n      if (!client.destroyed) this.#sessions.remove(session);\n    };',
  },
  {
    name: 'leaves the server’s side open when the client broke off',
    file: 'src/net/relay.ts',
    find: '    else reset(clientRaw, client);\n    reset(raw, upstream);\n',
    replace: "    else reset(clientRaw, client);\n    if (end.state !== 'broken') reset(raw, upstream);\n",
  },
  {
    name: 'keeps something of each session that was relayed',
    file: 'src/net/relay.ts',
    find: '    this.#doubt?.close();\n',
    replace: '',
  },
  {
    name: 'takes the verdict on a server that it reached a moment before',
    file: 'src/tofu.ts',
    find: '  judge(question: Question): Judged {\n    const judged = this.#judgeNow(question);\n',
    replace: `  readonly #lately = new Map<string, Judged>();
  judge(question: Question): Judged {
    const judged = this.#lately.get(question.endpoint.name) ?? this.#judgeNow(question);
    if (judged.verdict.accept && judged.verdict.basis === 'pin') this.#lately.set(question.endpoint.name, judged);
`,
  },
  {
    name: 'repeats a refusal after the key was approved',
    file: 'src/proxy/hold.ts',
    find: '    if (memory.era !== at.era) {\n',
    replace: '    if (memory.era !== at.era && at.now >= memory.until) {\n',
  },
  {
    name: 'dials for clients that left at once',
    file: 'src/proxy/session.ts',
    find: '    for (let turns = 0; turns < 2; turns += 1) await turn();\n',
    replace: '    if (this.desk.outdated) await turn();\n',
  },
];
