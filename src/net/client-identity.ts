// The certificate and key that letterlock shows to servers that ask for one. Node shows it before any verdict, so
// whoever makes a handshake with it decides first whether this server may see it. The key is never logged.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CommandError } from '../errors.ts';

/** Compared by identity: read again, it is another one. */
export interface ClientIdentity {
  /** PEM: the leaf, and what it is signed by. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

/**
 * Reads both files now, synchronously: it is done once at start and at each reload.
 * @throws CommandError `config` naming the file
 */
export function readClientIdentity(files: {
  readonly certificate: string;
  readonly key: string;
}): ClientIdentity {
  const certificate = textOf(files.certificate, 'client certificate');
  const key = textOf(files.key, 'key of the client certificate');
  if (!leafOf(certificate, files.certificate).checkPrivateKey(keyOf(key, files.key)))
    throw unusable(`the key ${files.key} does not belong to the client certificate ${files.certificate}`);
  return { certificate, key };
}

function textOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (cause) {
    throw unusable(`cannot read the ${what} ${path}`, {
      cause,
      hint: 'Check that it exists and may be read.',
    });
  }
}

function leafOf(text: string, path: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw unusable(`${path} holds no client certificate that can be read`, {
      cause,
      hint: 'It is PEM text: the certificate first, then those that signed it.',
    });
  }
}

function keyOf(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // No cause: an error of a key parser may quote what it parsed.
    throw unusable(`${path} holds no private key that can be read`, {
      hint: 'It is PEM text, and the key in it has no passphrase.',
    });
  }
}

const unusable = (
  message: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): CommandError => new CommandError('config', message, { code: 'client-certificate', ...options });
