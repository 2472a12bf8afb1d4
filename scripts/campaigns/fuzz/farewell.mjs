// The last dialogue with a client that is not served (src/mail/farewell.ts): whatever it sends, it is never let in, its
// lines are overwritten, and it is over within its limits.

import { demand } from './engine/broken.mjs';
import { play, playedAnyHow } from './engine/talks.mjs';

const protocols = ['imap', 'pop3', 'smtp', 'lmtp', 'sieve', 'tls'];
const text = 'letterlock refused imap.example.org: its key changed. "Nothing" was sent \\ \u202e\r\na OK in';
const letsIn = {
  imap: /^[^*+ ]+ OK (?!begin TLS now$|that is all$|nothing new$|goodbye$)/i,
  pop3: /^\+OK (?!letterlock ready$|these are all$|goodbye$|begin TLS now$)/i,
  smtp: /^(?:2(?!21 2\.0\.0 goodbye$)|3)/,
  sieve: /^OK (?!"(?:letterlock ready|goodbye|begin TLS now)"$)/i,
};

export const target = {
  name: 'farewell',
  files: [
    'talk',
    'command-line',
    'farewell',
    'farewell-imap',
    'farewell-pop3',
    'farewell-smtp',
    'farewell-sieve',
  ].map((file) => `src/mail/${file}`),
  dictionary: [
    '\r\n',
    '\n',
    'a LOGIN x y',
    'a AUTHENTICATE PLAIN',
    'a STARTTLS',
    'a LOGOUT',
    'USER x',
    'PASS y',
    'QUIT',
    'STLS',
    'EHLO x',
    'AUTH PLAIN',
    '{3+}',
    '{3}',
    '{4097+}',
    'AUTHENTICATE "PLAIN"',
    'LOGOUT',
    'STARTTLS',
    'CAPABILITY',
  ],
  longest: 70_000,
  prepare: async (from) => {
    const { Talk } = await from('src/mail/talk');
    const { farewell, farewellLimits: limits } = await from('src/mail/farewell');
    await Promise.all(target.files.map(from));
    const run = (bytes) => {
      const protocol = protocols[(bytes[0] ?? 0) % protocols.length];
      const choice = bytes[1] ?? 0;
      const options = {
        text,
        kind: choice & 1 ? 'failure' : 'refusal',
        permanence: choice & 2 ? 'temporary' : 'permanent',
        style: choice & 4 ? 'greeting' : 'login',
        smtpCode: choice & 8 ? 421 : 554,
        tls: ['none', 'offered', 'made'][(choice >> 4) % 3],
      };
      const script = bytes.subarray(2);
      const played = playedAnyHow(script, (pieces) =>
        play(new Talk(farewell(protocol, options), limits), pieces, { wiped: true }),
      );
      demand(/^(?:[ -~]*\r\n)*$/.test(played.said), 'whole lines of plain characters are said', played.said);
      const lines = played.said.split('\r\n');
      const yes = lines.find((line) => letsIn[protocol === 'lmtp' ? 'smtp' : protocol]?.test(line));
      demand(yes === undefined, 'nobody is let in', yes);
      demand(lines.length <= 200, 'no more is said than 20 lines can ask for', lines.length);
      demand(
        played.end?.result !== 'starttls' || options.tls === 'offered',
        'TLS begins only where it was offered',
      );
      const open = played.end === 'open';
      demand(!open || script.length <= limits.totalBytes, 'what goes on is within the limits', script.length);
    };
    const scripts = [
      'a CAPABILITY\r\na STARTTLS\r\n',
      'a LOGIN {3+}\r\nabc {3+}\r\nabc\r\nb LOGOUT\r\n',
      'CAPA\r\nUSER a\r\nUSER a\r\nPASS b\r\n',
      'EHLO x\r\nAUTH PLAIN\r\nQUIT\r\n',
      'CAPABILITY\r\nAUTHENTICATE {3+}\r\nabc\r\nSTARTTLS\r\nLOGOUT\r\n',
    ];
    const seeds = protocols.flatMap((_, at) =>
      [0, 0x10, 0x21].flatMap((choice) =>
        scripts.map((script) => `${String.fromCharCode(at, choice)}${script}`),
      ),
    );
    return { seeds, run };
  },
};
