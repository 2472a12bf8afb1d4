// `letterlock cert FILE|-`: describes certificates offline. It opens no connection and trusts nothing.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CommandError } from '../src/errors.ts';
import { describeCertificate, readCertificates } from '../src/trust/certificate.ts';
import type { CertificateDescription } from '../src/trust/certificate.ts';
import { isSet, requiredText } from './args.ts';
import { certificateLines, faultLines } from './certificate-lines.ts';
import type { CommandModule, Run, Parser } from './command.ts';
import { withJson } from './command.ts';
import type { Io } from './io.ts';

const maxBytes = 16 * 1024 * 1024;

const cert: Run = async (args, io) => {
  // yargs makes an empty text of a lone hyphen.
  const file = args['file'] === '' && io.words.includes('-') ? '-' : requiredText(args, 'file');
  const found = certificatesIn(await bytesOf(file, io), file).map(describeCertificate);
  if (isSet(args, 'json')) io.printJson(found);
  else io.print(...found.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...described(one, index)]));
  return 'done';
};

function certificatesIn(bytes: Uint8Array, file: string): readonly Uint8Array[] {
  const name = file === '-' ? 'standard input' : file;
  const hint = 'Give a PEM file with BEGIN CERTIFICATE lines, or one DER certificate.';
  try {
    const certificates = readCertificates(bytes);
    if (certificates.length > 0) return certificates;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CommandError('not-found', `${name} holds no certificate that can be read`, { hint, cause });
  }
  throw new CommandError('not-found', `${name} holds no certificate`, { hint });
}

async function bytesOf(file: string, io: Io): Promise<Uint8Array> {
  if (file === '-') return readAll(io.stdin);
  try {
    return await readFile(resolve(io.cwd, file));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new CommandError('not-found', `${file} cannot be read (${code})`, {
      hint: 'Check the path and its permissions.',
      cause,
    });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CommandError('usage', `standard input is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const described = (one: CertificateDescription, index: number): readonly string[] => [
  `Certificate ${index + 1}`,
  ...certificateLines(one),
  ...(one.faults.length === 0
    ? []
    : ['  faults in itself:', ...faultLines(one.faults).map((line) => `  ${line}`)]),
];

const build = (parser: Parser): Parser =>
  withJson(parser)
    .positional('file', {
      type: 'string',
      demandOption: true,
      describe: 'PEM or DER file, - for standard input',
    })
    .usage(
      'Usage: $0 cert FILE|-\n\nDescribes certificates without a network: names, dates, key, fingerprints, faults.',
    )
    .example('$0 cert server.pem', 'each certificate of a chain')
    .example('openssl s_client -connect HOST:993 </dev/null | $0 cert -', 'what somebody else sees');

export const certCommand: CommandModule = { build, run: cert };
