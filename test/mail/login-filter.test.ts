import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoginFilter } from '../../src/mail/login-filter.ts';
import type { Protocol } from '../../src/mail/protocol.ts';
import { dialogues, type Dialogue, type Event } from './login-transcripts.ts';
import { anyCut, byteByByte, crlf, latin1, whole, type Cut } from './transcript.ts';

interface Passed {
  readonly shown: string;
  readonly overBeforeFlush: boolean;
}

/** Plays both sides through a filter; the client's bytes must pass at once and unaltered. */
function pass(filter: LoginFilter, events: readonly Event[], cut: Cut): Passed {
  let shown = '';
  for (const [side, text] of events) {
    for (const chunk of cut(Buffer.from(text, 'latin1'))) {
      if (side === 's') shown += latin1(filter.downstream(chunk));
      else expect(latin1(filter.upstream(chunk))).toBe(latin1(chunk));
    }
  }
  const overBeforeFlush = filter.done;
  shown += latin1(filter.flush());
  expect(filter.done).toBe(true);
  return { shown, overBeforeFlush };
}

const filterOf = ({ protocol, clientTls = 'off' }: Dialogue): LoginFilter =>
  new LoginFilter({ protocol, clientTls });
const serverSaid = (events: readonly Event[]): string =>
  events.map(([side, text]) => (side === 's' ? text : '')).join('');

/** Half a line or list at the end is let go by flush, and only then is the filter over. */
const endsHeld = ({ name }: Dialogue): boolean => name.includes('at the end');

/** What asks for a list of capabilities, the list, and what is shown of it. */
const lists: Partial<Record<Protocol, readonly [string, string, string]>> = {
  pop3: [crlf('CAPA'), crlf('+OK', 'STLS', '.'), crlf('+OK', '.')],
  smtp: [crlf('EHLO me'), crlf('250-mail', '250 STARTTLS'), crlf('250 mail')],
  sieve: [crlf('CAPABILITY'), crlf('"STARTTLS"', 'OK "x"'), crlf('OK "x"')],
};

describe('the login filter', () => {
  for (const dialogue of dialogues) {
    it(`${dialogue.name}, whole and byte by byte`, () => {
      const shown = dialogue.shown ?? serverSaid(dialogue.events);
      for (const cut of [whole, byteByByte]) {
        const passed = pass(filterOf(dialogue), dialogue.events, cut);
        expect(passed.shown).toBe(shown);
        expect(passed.overBeforeFlush).toBe(dialogue.over && !endsHeld(dialogue));
      }
    });
  }

  it('holds back no empty line, first or after another', () => {
    expect(
      latin1(new LoginFilter({ protocol: 'imap', clientTls: 'off' }).downstream(Buffer.from('\n'))),
    ).toBe('\n');
    const filter = new LoginFilter({ protocol: 'imap', clientTls: 'off' });
    expect(latin1(filter.downstream(Buffer.from('* OK hi\r\n\n')))).toBe('* OK hi\r\n\n');
    expect(filter.done).toBe(true);
  });

  it.each<[string, readonly Event[]]>([
    [
      'an empty answer to a challenge, and the next command with it',
      [
        ['c', 'a AUTHENTICATE X\r\n'],
        ['s', '+ \r\n'],
        ['c', '\nb CAPABILITY\r\n'],
        ['s', 'a NO x\r\n'],
        ['s', '* CAPABILITY STARTTLS\r\nb OK x\r\n'],
      ],
    ],
    [
      'a tag that is used again',
      [
        ['c', 'a NOOP\r\n'],
        ['s', 'a OK x\r\n'],
        ['c', 'a CAPABILITY\r\n'],
        ['s', '* CAPABILITY STARTTLS\r\na OK x\r\n'],
      ],
    ],
    [
      'a challenge that nobody answered before the login was refused',
      [
        ['c', 'a AUTHENTICATE X\r\n'],
        ['s', '+ \r\na NO x\r\n'],
        ['c', 'b CAPABILITY\r\n'],
        ['s', '* CAPABILITY STARTTLS\r\nb OK x\r\n'],
      ],
    ],
    [
      'an answer to another command while a challenge waits',
      [
        ['c', 'b NOOP\r\na AUTHENTICATE X\r\n'],
        ['s', '+ \r\nb OK x\r\n'],
        ['c', 'eHg=\r\n'],
        ['s', 'a NO x\r\n* CAPABILITY STARTTLS\r\n'],
      ],
    ],
  ])('follows IMAP past %s', (_, events) => {
    const filter = new LoginFilter({ protocol: 'imap', clientTls: 'off' });
    filter.downstream(Buffer.from('* OK hi\r\n'));
    let shown = '';
    for (const [side, text] of events) {
      if (side === 's') shown += latin1(filter.downstream(Buffer.from(text)));
      else filter.upstream(Buffer.from(text));
    }
    expect(shown).toBe(serverSaid(events).replace('CAPABILITY STARTTLS', 'CAPABILITY '));
    expect(filter.done).toBe(false);
  });

  it.each<[Protocol, string, string, string, string]>([
    ['pop3', '+OK hi', 'AUTH X', '+ ', '-ERR x'],
    ['smtp', '220 hi', 'AUTH X', '334 ', '535 x'],
    ['sieve', 'OK "hi"', 'AUTHENTICATE "X"', '""', 'NO "x"'],
  ])(
    'follows %s past logins that fail, answered or not, and what is asked with them',
    (protocol, ...texts) => {
      const [greeting, login, challenge, failed] = texts.map((text) => crlf(text));
      const [ask, list, shown] = lists[protocol] ?? [];
      for (const answer of ['', 'eHg=\r\n']) {
        const filter = new LoginFilter({ protocol, clientTls: 'off' });
        filter.downstream(Buffer.from(greeting ?? ''));
        filter.upstream(Buffer.from(login ?? ''));
        expect(latin1(filter.downstream(Buffer.from(challenge ?? '')))).toBe(challenge);
        if (answer === '') filter.downstream(Buffer.from(failed ?? ''));
        filter.upstream(Buffer.from(`${answer}${ask}`));
        if (answer !== '') filter.downstream(Buffer.from(failed ?? ''));
        expect(latin1(filter.downstream(Buffer.from(list ?? '')))).toBe(shown);
        expect(filter.done).toBe(false);
      }
    },
  );

  it.each<[Protocol, string, string]>([
    ['imap', '* OK hi', 'a SELECT INBOX'],
    ['pop3', '+OK hi', 'RETR 1'],
    ['smtp', '220 hi', 'MAIL FROM:<a@example.org>'],
    ['sieve', 'OK "hi"', 'LISTSCRIPTS'],
  ])('ends %s at a command of after a login, and at more than it follows', (protocol, greeting, command) => {
    const of = (): LoginFilter => {
      const filter = new LoginFilter({ protocol, clientTls: 'off' });
      filter.downstream(Buffer.from(crlf(greeting)));
      return filter;
    };
    const filter = of();
    filter.upstream(Buffer.from(crlf(command)));
    expect(filter.done).toBe(true);
    for (const count of [32, 33]) {
      const crowded = of();
      const noop = (index: number): string => (protocol === 'imap' ? `a${String(index)} NOOP` : 'NOOP');
      crowded.upstream(Buffer.from(crlf(...Array.from({ length: count }, (_, index) => noop(index)))));
      expect(crowded.done).toBe(count === 33);
    }
  });

  it('ends IMAP at an answer in the middle of a command', () => {
    for (const events of [
      [['c', 'a LOGIN {2+}\r\nxy'] as const],
      [['c', 'a LOGIN {2}\r\n'] as const, ['s', '+ \r\n'] as const],
    ]) {
      const filter = new LoginFilter({ protocol: 'imap', clientTls: 'off' });
      filter.downstream(Buffer.from('* OK hi\r\n'));
      for (const [side, text] of events)
        if (side === 's') filter.downstream(Buffer.from(text));
        else filter.upstream(Buffer.from(text));
      expect(filter.done).toBe(false);
      filter.downstream(Buffer.from('a NO x\r\n'));
      expect(filter.done).toBe(true);
    }
  });

  it('ends at an empty line of the client, whatever follows it', () => {
    const filter = new LoginFilter({ protocol: 'imap', clientTls: 'off' });
    filter.downstream(Buffer.from('* OK hi\r\n'));
    filter.upstream(Buffer.from('\n'));
    expect(filter.done).toBe(true);
  });

  it('shows the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...dialogues), anyCut, (dialogue, cut) => {
        const { shown } = pass(filterOf(dialogue), dialogue.events, cut);
        expect(shown).toBe(dialogue.shown ?? serverSaid(dialogue.events));
      }),
      { numRuns: 2000 },
    );
  });

  it('passes the very same bytes both ways once it is over', () => {
    const over = dialogues.filter((dialogue) => dialogue.over && !endsHeld(dialogue));
    fc.assert(
      fc.property(fc.constantFrom(...over), fc.uint8Array(), fc.uint8Array(), (dialogue, down, up) => {
        const filter = filterOf(dialogue);
        for (const [side, text] of dialogue.events) {
          if (side === 's') filter.downstream(Buffer.from(text, 'latin1'));
          else filter.upstream(Buffer.from(text, 'latin1'));
        }
        expect(filter.done).toBe(true);
        expect(filter.downstream(down)).toBe(down);
        expect(filter.upstream(up)).toBe(up);
        expect(filter.flush()).toHaveLength(0);
      }),
    );
  });
});

const list = '* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n';
const shownList = '* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n';
const imap = (): LoginFilter => new LoginFilter({ protocol: 'imap', clientTls: 'off' });

/** Lines of so many octets, a server's and a client's, and many of the server's. */
const at = (octets: number): string => `* OK ${'x'.repeat(octets - 5)}`;
const line = (octets: number): string => `a AUTHENTICATE X ${'x'.repeat(octets - 17)}`;
const noops = (octets: number): Event => ['s', `* OK ${'x'.repeat(93)}\r\n`.repeat(octets / 100)];

describe('the login filter holds', () => {
  it('half a line, and says that it is not done while it does', () => {
    const filter = imap();
    expect(latin1(filter.downstream(Buffer.from('* OK hi\r\n* CAPA')))).toBe('* OK hi\r\n');
    filter.upstream(Buffer.from('a SELECT INBOX\r\n'));
    expect(filter.done).toBe(false);
    expect(latin1(filter.downstream(Buffer.from('BILITY STARTTLS\r\n')))).toBe('* CAPABILITY STARTTLS\r\n');
    expect(filter.done).toBe(true);
  });

  it('nothing after a flush, which ends it', () => {
    const filter = imap();
    filter.downstream(Buffer.from('* OK hi\r\n* CAPA'));
    expect(latin1(filter.flush())).toBe('* CAPA');
    expect(latin1(filter.downstream(Buffer.from(list)))).toBe(list);
  });

  it('no challenge of a login, so that client and server never wait for each other', () => {
    const challenges: readonly (readonly [Protocol, string, string, string])[] = [
      ['imap', '* OK\r\n', 'a AUTHENTICATE X\r\n', '+ \r\n'],
      ['pop3', '+OK\r\n', 'AUTH X\r\n', '+ \r\n'],
      ['smtp', '220\r\n', 'AUTH X\r\n', '334 \r\n'],
      ['sieve', 'OK\r\n', 'AUTHENTICATE "X"\r\n', '""\r\n'],
    ];
    for (const [protocol, greeting, command, challenge] of challenges) {
      const filter = new LoginFilter({ protocol, clientTls: 'off' });
      filter.downstream(Buffer.from(greeting));
      filter.upstream(Buffer.from(command));
      expect(latin1(filter.downstream(Buffer.from(challenge)))).toBe(challenge);
      expect(filter.done).toBe(false);
    }
  });

  it('a server line no longer than 12288 octets', () => {
    for (const cut of [whole, byteByByte]) {
      expect(pass(imap(), [['s', `${at(12_288)}\r\n${list}`]], cut)).toEqual({
        shown: `${at(12_288)}\r\n${shownList}`,
        overBeforeFlush: false,
      });
      expect(pass(imap(), [['s', `${at(12_289)}\r\n${list}`]], cut)).toEqual({
        shown: `${at(12_289)}\r\n${list}`,
        overBeforeFlush: true,
      });
      const filter = imap();
      let shown = '';
      for (const chunk of cut(Buffer.from(at(12_290)))) shown += latin1(filter.downstream(chunk));
      expect(shown).toBe(at(12_290));
    }
  });
});

describe('the login filter ends', () => {
  it('at a line of the client over 12288 octets, ended or not', () => {
    for (const cut of [whole, byteByByte]) {
      const kept: Event[] = [
        ['s', '* OK\r\n'],
        ['c', `${line(12_288)}\r\n`],
        ['s', list],
      ];
      expect(pass(imap(), kept, cut).shown).toBe(`* OK\r\n${shownList}`);
      const ended: Event[] = [
        ['s', '* OK\r\n'],
        ['c', `${line(12_289)}\r\n`],
        ['s', list],
      ];
      expect(pass(imap(), ended, cut).shown).toBe(`* OK\r\n${list}`);
      const endless: Event[] = [
        ['s', '* OK\r\n'],
        ['c', line(12_290)],
        ['s', list],
      ];
      expect(pass(imap(), endless, cut).shown).toBe(`* OK\r\n${list}`);
    }
  });

  it('after 64 KiB of both sides together', () => {
    const greeting = '* OK hi\r\n';
    const literal: Event = ['c', crlf('a LOGIN {30000+}', 'x'.repeat(30_000))];
    const fits = 65_536 - greeting.length - list.length - literal[1].length;
    const room = fits - (fits % 100);
    const filler: Event = ['s', `* OK ${'x'.repeat(fits - room - 7)}\r\n`];
    const full: Event[] = [['s', greeting], literal, noops(room), filler, ['s', list]];
    expect(pass(imap(), full, whole).shown.endsWith(shownList)).toBe(true);
    const more: Event[] = [
      ['s', greeting],
      literal,
      noops(room),
      ['s', filler[1].replace('x', 'xx')],
      ['s', list],
    ];
    for (const cut of [whole, byteByByte]) expect(pass(imap(), more, cut).shown).toBe(serverSaid(more));
  });

  it('after 64 KiB at a line of the client, to the octet', () => {
    const greeting = '* OK hi\r\n';
    const command = 'b NOOP\r\n';
    const fits = 65_536 - greeting.length - command.length;
    const room = fits - (fits % 100);
    for (const more of [0, 1]) {
      const filter = imap();
      filter.downstream(Buffer.from(greeting));
      filter.downstream(Buffer.from(noops(room)[1]));
      filter.downstream(Buffer.from(`* OK ${'x'.repeat(fits - room - 7 + more)}\r\n`));
      expect(filter.done).toBe(false);
      filter.upstream(Buffer.from(command));
      expect(filter.done).toBe(more === 1);
    }
  });

  it('at more open commands than it follows', () => {
    const open = (count: number): Event[] => [
      ['s', '* OK\r\n'],
      ...Array.from({ length: count }, (_, index): Event => ['c', `a${String(index)} NOOP\r\n`]),
      ['s', list],
    ];
    expect(pass(imap(), open(32), whole).shown).toBe(`* OK\r\n${shownList}`);
    expect(pass(imap(), open(33), whole).shown).toBe(`* OK\r\n${list}`);
  });
});

/** What the promise allows to be missing, taken out of a text by plain means. */
const without = (text: string): string =>
  text
    .replace(/^250-/gm, '250 ')
    .replace(/^250 STARTTLS *\r\n/gim, '')
    .replace(/^(?:STLS *|"STARTTLS"(?: .*)?|SCRAM-[^ \r\n]*)\r\n/gim, '')
    .replace(/ ?\b(?:AUTH=)?(?:STARTTLS|SCRAM-[A-Z0-9-]*)(?=[ \]"\r\n]|$)/gi, '')
    .replace(/(AUTH=|AUTH|SASL|CAPABILITY|") +/gi, '$1');

const pieces: Readonly<
  Record<Exclude<Protocol, 'tls'>, { readonly s: readonly string[]; readonly c: readonly string[] }>
> = {
  imap: {
    s: [
      '* OK hi\r\n',
      '* CAPABILITY STARTTLS AUTH=SCRAM-SHA-1-PLUS AUTH=PLAIN\r\n',
      'a OK [CAPABILITY AUTH=SCRAM-SHA-1-PLUS] x\r\n',
      'a NO x\r\n',
      '+ \r\n',
      'a',
      '\r\n',
      '{3}',
    ],
    c: [
      'a CAPABILITY\r\n',
      'a AUTHENTICATE X\r\n',
      'a LOGIN {3}\r\n',
      'a LOGIN {2+}\r\n',
      'xy',
      '\r\n',
      'a SELECT x\r\n',
    ],
  },
  pop3: {
    s: [
      '+OK\r\n',
      '-ERR\r\n',
      '+ \r\n',
      'STLS\r\n',
      'SASL SCRAM-SHA-1-PLUS PLAIN\r\n',
      'SCRAM-SHA-1-PLUS\r\n',
      'PLAIN\r\n',
      '.\r\n',
      'x',
    ],
    c: ['CAPA\r\n', 'AUTH\r\n', 'AUTH X\r\n', 'USER x\r\n', 'x', '\r\n', 'STAT\r\n'],
  },
  smtp: {
    s: [
      '220 hi\r\n',
      '250-mail\r\n',
      '250-STARTTLS\r\n',
      '250 STARTTLS\r\n',
      '250-AUTH SCRAM-SHA-1-PLUS PLAIN\r\n',
      '250 x\r\n',
      '334 \r\n',
      '535 no\r\n',
    ],
    c: ['EHLO x\r\n', 'AUTH X\r\n', 'x', '\r\n', 'NOOP\r\n', 'MAIL\r\n'],
  },
  lmtp: { s: ['220 hi\r\n', '250-mail\r\n', '250 STARTTLS\r\n', 'x'], c: ['LHLO x\r\n', 'RSET\r\n'] },
  sieve: {
    s: ['"SASL" "SCRAM-SHA-1-PLUS PLAIN"\r\n', '"STARTTLS"\r\n', 'OK\r\n', 'NO "x"\r\n', '""\r\n', 'x'],
    c: ['CAPABILITY\r\n', 'AUTHENTICATE "X"\r\n', 'AUTHENTICATE {2+}\r\n', 'xy', '\r\n', 'LISTSCRIPTS\r\n'],
  },
};

const anyTalk = fc
  .constantFrom('imap' as const, 'pop3' as const, 'smtp' as const, 'lmtp' as const, 'sieve' as const)
  .chain((protocol) => {
    const events = fc.oneof(
      fc.constantFrom(...pieces[protocol].s).map((text): Event => ['s', text]),
      fc.constantFrom(...pieces[protocol].c).map((text): Event => ['c', text]),
    );
    return fc.record({
      protocol: fc.constant(protocol),
      clientTls: fc.constantFrom('off' as const, 'starttls' as const, 'implicit' as const),
      events: fc.array(events, { maxLength: 25 }),
    });
  });

describe('whatever both sides say, the login filter', () => {
  it('takes out only mechanism names and STARTTLS', () => {
    let altered = 0;
    fc.assert(
      fc.property(anyTalk, ({ protocol, clientTls, events }) => {
        const said = serverSaid(events);
        const { shown } = pass(new LoginFilter({ protocol, clientTls }), events, whole);
        expect(without(shown)).toBe(without(said));
        if (shown !== said) altered += 1;
      }),
      { numRuns: 5000 },
    );
    expect(altered).toBeGreaterThan(100);
  });

  it('shows the same however it is cut', () => {
    fc.assert(
      fc.property(anyTalk, anyCut, ({ protocol, clientTls, events }, cut) => {
        const one = pass(new LoginFilter({ protocol, clientTls }), events, whole);
        expect(pass(new LoginFilter({ protocol, clientTls }), events, cut)).toEqual(one);
      }),
      { numRuns: 3000 },
    );
  });

  it('passes noise as it is', () => {
    const noise = fc.array(
      fc.tuple(fc.constantFrom('s' as const, 'c' as const), fc.string({ unit: 'binary-ascii' })),
    );
    fc.assert(
      fc.property(
        fc.constantFrom<Protocol>('imap', 'pop3', 'smtp', 'sieve', 'tls'),
        noise,
        (protocol, events) => {
          fc.pre(!/SCRAM|START|STLS/i.test(serverSaid(events)));
          const { shown } = pass(new LoginFilter({ protocol, clientTls: 'off' }), events, whole);
          expect(shown).toBe(serverSaid(events));
        },
      ),
      { numRuns: 2000 },
    );
  });
});
