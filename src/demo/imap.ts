// IMAP4rev1 (RFC 3501, 2177, 4959) as the demo mail server speaks it: enough for everyday mail clients.

import type { Duplex } from 'node:stream';
import { inSet, readCommand, type Argument, type Command } from './imap-command.ts';
import { expandItems, fetchResponse } from './imap-fetch.ts';
import type { LineReader } from './line-reader.ts';
import { plainCredentials, type Mailbox, type Mailboxes, type Message } from './mailbox.ts';

const capabilities = 'IMAP4rev1 AUTH=PLAIN SASL-IR IDLE LITERAL+ ID NAMESPACE UNSELECT CHILDREN';

export async function serveImap(reader: LineReader, socket: Duplex, mail: Mailboxes): Promise<void> {
  const session = new ImapSession({ reader, socket, mail });
  socket.write(`* OK [CAPABILITY ${capabilities}] letterlock demo IMAP ready\r\n`);
  for (
    let command = await readCommand(reader, socket);
    command !== null;
    command = await readCommand(reader, socket)
  ) {
    socket.write(`${command.tag} ${await session.answer(command)}\r\n`);
    if (session.over) break;
  }
  socket.end();
}

class ImapSession {
  over = false;
  readonly #reader: LineReader;
  readonly #socket: Duplex;
  readonly #mail: Mailboxes;
  #loggedIn = false;
  #selected: Mailbox | null = null;
  #shown = 0;

  constructor(parts: { readonly reader: LineReader; readonly socket: Duplex; readonly mail: Mailboxes }) {
    this.#reader = parts.reader;
    this.#socket = parts.socket;
    this.#mail = parts.mail;
  }

  async answer(command: Command): Promise<string> {
    try {
      return await this.#anyState(command);
    } catch (error) {
      if (error instanceof RangeError) return `BAD ${error.message}`;
      throw error;
    }
  }

  async #anyState(command: Command): Promise<string> {
    switch (command.verb) {
      case 'CAPABILITY':
        this.#say(`CAPABILITY ${capabilities}`);
        return 'OK done';
      case 'NOOP':
      case 'CHECK':
        this.#news();
        return 'OK done';
      case 'ID':
        this.#say('ID ("name" "letterlock-demo")');
        return 'OK done';
      case 'LOGOUT':
        this.over = true;
        this.#say('BYE see you');
        return 'OK done';
      default:
        return this.#loggedIn ? this.#authenticated(command) : this.#notAuthenticated(command);
    }
  }

  async #notAuthenticated({ verb, rest }: Command): Promise<string> {
    if (verb === 'LOGIN') return this.#login(text(rest[0]), text(rest[1]));
    if (verb !== 'AUTHENTICATE') return 'NO log in first';
    if (text(rest[0]).toUpperCase() !== 'PLAIN') return 'NO [CANNOT] only PLAIN';
    const given = plainCredentials(rest[1] === undefined ? await this.#continue() : text(rest[1]));
    return given === null ? 'BAD no SASL PLAIN message' : this.#login(given.name, given.password);
  }

  async #continue(): Promise<string> {
    this.#socket.write('+ \r\n');
    return (await this.#reader.line()) ?? '';
  }

  #login(name: string, password: string): string {
    this.#loggedIn = this.#mail.admits(name, password);
    return this.#loggedIn
      ? `OK [CAPABILITY ${capabilities}] welcome`
      : 'NO [AUTHENTICATIONFAILED] wrong user or password';
  }

  async #authenticated(command: Command): Promise<string> {
    const { verb, rest } = command;
    switch (verb) {
      case 'NAMESPACE':
        this.#say('NAMESPACE (("" "/")) NIL NIL');
        return 'OK done';
      case 'LIST':
      case 'LSUB':
        return this.#list(verb, text(rest[1]));
      case 'CREATE':
        this.#mail.create(text(rest[0]));
        return 'OK done';
      case 'SUBSCRIBE':
      case 'UNSUBSCRIBE':
        return 'OK done';
      case 'STATUS':
        return this.#status(text(rest[0]), words(rest[1]));
      case 'SELECT':
      case 'EXAMINE':
        return this.#select(verb, text(rest[0]));
      case 'APPEND':
        return this.#append(rest);
      default:
        return this.#selected === null
          ? 'BAD unknown command or no mailbox selected'
          : this.#inMailbox(command, this.#selected);
    }
  }

  #list(verb: string, pattern: string): string {
    if (pattern === '') this.#say(`${verb} (\\Noselect) "/" ""`);
    const wanted = new RegExp(
      `^${pattern.replace(/[.+?^$|()[\]\\{}]/g, '\\$&').replace(/[*%]/g, '.*')}$`,
      'i',
    );
    for (const name of this.#mail.names.filter((each) => wanted.test(each))) {
      const use = ['Sent', 'Drafts', 'Trash'].includes(name) ? ` \\${name}` : '';
      this.#say(`${verb} (\\HasNoChildren${use}) "/" "${name}"`);
    }
    return 'OK done';
  }

  #status(name: string, items: readonly string[]): string {
    const mailbox = this.#mail.named(name);
    if (mailbox === null) return 'NO [NONEXISTENT] no such mailbox';
    const values: Readonly<Record<string, number>> = {
      MESSAGES: mailbox.messages.length,
      RECENT: 0,
      UIDNEXT: mailbox.nextUid,
      UIDVALIDITY: 1,
      UNSEEN: mailbox.messages.filter(({ flags }) => !flags.has('\\Seen')).length,
    };
    const shown = items.map((item) => item.toUpperCase()).filter((item) => Object.hasOwn(values, item));
    this.#say(`STATUS "${mailbox.name}" (${shown.map((item) => `${item} ${values[item]}`).join(' ')})`);
    return 'OK done';
  }

  #select(verb: string, name: string): string {
    const mailbox = this.#mail.named(name);
    this.#selected = mailbox;
    if (mailbox === null) return 'NO [NONEXISTENT] no such mailbox';
    this.#shown = mailbox.messages.length;
    this.#say('FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)');
    this.#say(`${this.#shown} EXISTS`);
    this.#say('0 RECENT');
    this.#say('OK [UIDVALIDITY 1] stable');
    this.#say(`OK [UIDNEXT ${mailbox.nextUid}] next`);
    this.#say('OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)] kept until the demo ends');
    return `OK [${verb === 'SELECT' ? 'READ-WRITE' : 'READ-ONLY'}] selected`;
  }

  #append(rest: readonly Argument[]): string {
    const mailbox = this.#mail.named(text(rest[0]));
    if (mailbox === null) return 'NO [TRYCREATE] no such mailbox';
    const flags = rest.slice(1, -1).find((each) => typeof each !== 'string');
    mailbox.append(Buffer.from(text(rest.at(-1)), 'latin1'), { at: new Date(), flags: words(flags) });
    this.#news();
    return 'OK appended';
  }

  async #inMailbox({ verb, rest }: Command, mailbox: Mailbox): Promise<string> {
    const byUid = verb.startsWith('UID ');
    switch (verb.replace('UID ', '')) {
      case 'FETCH':
        return this.#fetch(this.#picked(text(rest[0]), byUid), { items: words(rest[1]), byUid });
      case 'STORE':
        return this.#store(this.#picked(text(rest[0]), byUid), {
          how: text(rest[1]).toUpperCase(),
          flags: words(rest[2]),
          byUid,
        });
      case 'SEARCH':
        return this.#search(rest.flatMap(words), byUid);
      case 'COPY':
        return this.#copy(this.#picked(text(rest[0]), byUid), text(rest[1]));
      case 'EXPUNGE':
      case 'CLOSE':
        this.#expunge(mailbox, verb !== 'CLOSE');
        if (verb === 'CLOSE') this.#selected = null;
        return 'OK done';
      case 'UNSELECT':
        this.#selected = null;
        return 'OK done';
      case 'IDLE':
        return this.#idle(mailbox);
      default:
        return 'BAD unknown command';
    }
  }

  #picked(set: string, byUid: boolean): readonly (readonly [number, Message])[] {
    const messages = this.#selected?.messages ?? [];
    const within = inSet(set, byUid ? (messages.at(-1)?.uid ?? 0) : messages.length);
    return messages
      .map((message, index) => [index + 1, message] as const)
      .filter(([number, { uid }]) => within(byUid ? uid : number));
  }

  #fetch(
    picked: readonly (readonly [number, Message])[],
    asked: { readonly items: readonly string[]; readonly byUid: boolean },
  ): string {
    const items = expandItems(asked.items);
    const all =
      asked.byUid && !items.some((item) => item.toUpperCase() === 'UID') ? ['UID', ...items] : items;
    for (const [number, message] of picked) this.#socket.write(fetchResponse(number, message, all));
    return 'OK done';
  }

  #store(
    picked: readonly (readonly [number, Message])[],
    change: { readonly how: string; readonly flags: readonly string[]; readonly byUid: boolean },
  ): string {
    for (const [number, message] of picked) {
      if (change.how.startsWith('FLAGS')) message.flags.clear();
      for (const flag of change.flags) {
        if (change.how.startsWith('-')) message.flags.delete(flag);
        else message.flags.add(flag);
      }
      if (change.how.endsWith('.SILENT')) continue;
      this.#socket.write(fetchResponse(number, message, change.byUid ? ['UID', 'FLAGS'] : ['FLAGS']));
    }
    return 'OK done';
  }

  /** Keys that the demo knows; others match every message, which a client can live with. */
  #search(keys: readonly string[], byUid: boolean): string {
    const messages = this.#selected?.messages ?? [];
    const upper = keys.map((key) => key.toUpperCase());
    const uids = upper.includes('UID')
      ? inSet(keys[upper.indexOf('UID') + 1] ?? '1:*', messages.at(-1)?.uid ?? 0)
      : (): boolean => true;
    const found = messages
      .map((message, index) => ({ message, number: index + 1 }))
      .filter(({ message }) => uids(message.uid))
      .filter(({ message: { flags } }) =>
        flagKeys.every(({ key, flag, set }) => !upper.includes(key) || flags.has(flag) === set),
      )
      .map(({ message, number }) => (byUid ? message.uid : number));
    this.#say(['SEARCH', ...found].join(' '));
    return 'OK done';
  }

  #copy(picked: readonly (readonly [number, Message])[], name: string): string {
    const target = this.#mail.named(name);
    if (target === null) return 'NO [TRYCREATE] no such mailbox';
    for (const [, { bytes, at, flags }] of picked) target.append(bytes, { at, flags: [...flags] });
    return 'OK done';
  }

  #expunge(mailbox: Mailbox, tell: boolean): void {
    const gone = mailbox.expunge(({ flags }) => flags.has('\\Deleted'));
    this.#shown = mailbox.messages.length;
    if (tell) for (const number of gone) this.#say(`${number} EXPUNGE`);
  }

  async #idle(mailbox: Mailbox): Promise<string> {
    this.#socket.write('+ idling\r\n');
    const stop = mailbox.watch(() => this.#news());
    try {
      await this.#reader.line();
      return 'OK done';
    } finally {
      stop();
    }
  }

  #news(): void {
    const count = this.#selected?.messages.length ?? this.#shown;
    if (count === this.#shown) return;
    this.#shown = count;
    this.#say(`${count} EXISTS`);
  }

  #say(line: string): void {
    this.#socket.write(`* ${line}\r\n`);
  }
}

const flagKeys = [
  { key: 'UNSEEN', flag: '\\Seen', set: false },
  { key: 'SEEN', flag: '\\Seen', set: true },
  { key: 'DELETED', flag: '\\Deleted', set: true },
  { key: 'UNDELETED', flag: '\\Deleted', set: false },
  { key: 'FLAGGED', flag: '\\Flagged', set: true },
] as const;

const text = (argument: Argument | undefined): string => (typeof argument === 'string' ? argument : '');

const words = (argument: Argument | undefined): readonly string[] =>
  argument === undefined ? [] : typeof argument === 'string' ? [argument] : argument.flatMap(words);
