// The demo server's mail, in memory only: one user, a few mailboxes, gone when the demo ends.

export interface Message {
  readonly uid: number;
  readonly bytes: Buffer;
  readonly at: Date;
  readonly flags: Set<string>;
}

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Messages in the order of their UIDs. */
export class Mailbox {
  readonly name: string;
  readonly messages: Message[] = [];
  readonly #watchers = new Set<() => void>();
  #next = 1;

  constructor(name: string) {
    this.name = name;
  }

  get nextUid(): number {
    return this.#next;
  }

  append(bytes: Buffer, facts: { readonly at: Date; readonly flags?: readonly string[] }): Message {
    const message = { uid: this.#next++, bytes, at: facts.at, flags: new Set(facts.flags ?? []) };
    this.messages.push(message);
    for (const changed of this.#watchers) changed();
    return message;
  }

  /** Removes the messages that `goes` says go, and gives their sequence numbers as EXPUNGE wants them. */
  expunge(goes: (message: Message) => boolean): readonly number[] {
    const gone: number[] = [];
    for (let index = 0; index < this.messages.length;) {
      const message = this.messages[index];
      if (message !== undefined && goes(message)) {
        this.messages.splice(index, 1);
        gone.push(index + 1);
      } else index += 1;
    }
    return gone;
  }

  /** Calls `changed` after each append until the returned function is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }
}

/** All mailboxes of the one user. */
export class Mailboxes {
  readonly user: User;
  readonly #byName = new Map<string, Mailbox>();

  constructor(user: User) {
    this.user = user;
    for (const name of ['INBOX', 'Sent', 'Drafts', 'Trash']) this.create(name);
  }

  get inbox(): Mailbox {
    return this.create('INBOX');
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  named(name: string): Mailbox | null {
    return this.#byName.get(canonical(name)) ?? null;
  }

  create(name: string): Mailbox {
    const mailbox = this.#byName.get(canonical(name)) ?? new Mailbox(canonical(name));
    this.#byName.set(mailbox.name, mailbox);
    return mailbox;
  }

  admits(name: string, password: string): boolean {
    return name === this.user.name && password === this.user.password;
  }
}

const canonical = (name: string): string => (name.toUpperCase() === 'INBOX' ? 'INBOX' : name);

/** A plain text mail with the usual headers. */
export function textMail(mail: {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly at: Date;
  readonly text: string;
}): Buffer {
  const lines = [
    `From: ${mail.from}`,
    `To: ${mail.to}`,
    `Subject: ${mail.subject}`,
    `Date: ${mail.at.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${mail.at.getTime()}.${mail.subject.length}@letterlock.test>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    ...mail.text.split('\n'),
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

/** The decoded SASL PLAIN message (RFC 4616): user and password, null when it is none. */
export function plainCredentials(
  base64: string,
): { readonly name: string; readonly password: string } | null {
  const [, name, password] = Buffer.from(base64, 'base64').toString('utf8').split('\0');
  return name === undefined || password === undefined ? null : { name, password };
}
