// sieve-connect: uploads a script, lists it and fetches it back.

import { readFile } from 'node:fs/promises';
import { atHome, password, user, type Reader, type Where } from './client.ts';
import { words } from '../run.ts';

// Longer than a pre-login line may be, with a dot line and bytes beyond ASCII.
export const sieveScript = Buffer.from(
  `require ["fileinto"];\r\n# ${'x'.repeat(9000)}\r\n# Grüße\r\n.\r\n`.replace('\r\n.\r\n', '\r\n# .\r\n') +
    'if header :contains "Subject" "spam" {\r\n  fileinto "Junk";\r\n}\r\n',
);

const command = ({ host, port, tls, caFile }: Where): readonly string[] => [
  'sieve-connect',
  '-s',
  host,
  '-p',
  String(port),
  '-u',
  user,
  ...words('--passwordfd 0 --nosrv'),
  ...(tls === 'none' ? ['--nosslverify', '--notlsverify'] : ['--tlscafile', caFile]),
];

export const sieveConnect: Reader = {
  name: 'sieve-connect',
  protocol: 'sieve',
  showsRefusal: 'whole',
  refusedExit: 255,
  modes: ['starttls'],
  alone: 'starttls',
  read: (where) =>
    atHome(async (home) => {
      const secret = `${password}\n`;
      const local = await home.write('script', sieveScript);
      const up = await home.run(
        [...command(where), '--upload', '--localsieve', local, '--remotesieve', 'lab'],
        secret,
      );
      if (up.exit !== 0) return { ...up, messages: [] };
      const listed = await home.run([...command(where), '--list'], secret);
      const back = home.file('back');
      const down = await home.run(
        [...command(where), '--download', '--remotesieve', 'lab', '--localsieve', back],
        secret,
      );
      const fetched = await readFile(back).catch(() => null);
      return { ...down, messages: [listed.stdout, ...(fetched === null ? [] : [fetched])] };
    }),
};
