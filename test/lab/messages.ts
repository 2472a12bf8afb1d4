// Messages that break careless relays: each holds one thing a proxy could be tempted to touch.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const text = 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n';

const head = (subject: string, number: number): string =>
  [
    'From: Alice <alice@lab.test>',
    'To: bob@lab.test',
    `Subject: ${subject}`,
    `Date: Mon, 23 Nov 2026 06:00:${String(number).padStart(2, '0')} +0000`,
    `Message-ID: <m${number}@lab.test>`,
    'MIME-Version: 1.0\n',
  ].join('\n');

const everyHighByte = Buffer.from(Array.from({ length: 128 }, (_, index) => 128 + index));
const bigBytes = 30 * 1024 * 1024;
const bigLine = `${'0123456789abcdef'.repeat(4)}\n`;

interface Awkward {
  readonly what: string;
  readonly bytes: Buffer;
}

const message = (what: string, number: number, ...body: readonly (string | Buffer)[]): Awkward => ({
  what,
  bytes: Buffer.concat(
    [head(`${number} ${what}`, number), ...body].map((part) =>
      typeof part === 'string' ? Buffer.from(part) : part,
    ),
  ),
});

/** Lines end in LF as in a Maildir. The ninth never ends its header; the last is 30 MB. */
export function awkwardMessages(): readonly Awkward[] {
  return [
    message('plain', 1, text, 'Hello\n'),
    message('leading dots', 2, text, '.\n..\n.leading dot\n\nlast line without an end'),
    message('eight bit', 3, text, 'Grüße, 漢字 😀\n', everyHighByte, '\n'),
    message('bare CR and NUL', 4, text, 'a\rb\rc\n nul:\0:here\nEND\r\r\n\0\0\n'),
    message('long line', 5, text, 'x'.repeat(200_000), '\nshort\n'),
    message('long header', 6, `X-Long: ${'h'.repeat(20_000)}\n`, text, 'body\n'),
    message(
      'base64',
      7,
      'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n',
      'QUJD\n'.repeat(1000),
    ),
    message('empty body', 8, '\n'),
    { what: 'no header end', bytes: Buffer.from([0xff, 0xfe, ...Buffer.from('junk without a header end')]) },
    message('thirty MB', 10, text, bigLine.repeat(Math.floor(bigBytes / bigLine.length))),
  ];
}

/** A second folder without the message that never ends its header, for clients that go no further at it. */
export const readableFolder = 'Readable';

/** Writes them into a Maildir, in their order, and the readable ones into a folder of it as well. */
export async function seedMaildir(maildir: string): Promise<void> {
  const messages = awkwardMessages();
  await fill(maildir, messages);
  await fill(
    join(maildir, `.${readableFolder}`),
    messages.filter(({ what }) => what !== 'no header end'),
  );
}

async function fill(maildir: string, messages: readonly Awkward[]): Promise<void> {
  for (const folder of ['cur', 'new', 'tmp']) await mkdir(join(maildir, folder), { recursive: true });
  for (const [index, { bytes }] of messages.entries()) {
    await writeFile(join(maildir, 'cur', `1763877600.${String(index).padStart(3, '0')}.lab:2,`), bytes);
  }
}
