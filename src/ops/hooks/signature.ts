// Signatures of Standard Webhooks (standardwebhooks.com, version 1): HMAC-SHA256 over id, time and body, so that a
// receiver knows who sent a notice, that nobody changed it, and that it is not an old one.

import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** Octets of a secret; the specification asks for no fewer and no more. */
const octets = { least: 24, most: 64 };

export const newSecretHint = `make one: printf '${prefix}%s\\n' "$(openssl rand -base64 32)"`;

/** The key of a secret, or in words what is wrong with it; the words never hold any of it. */
export function secretKey(secret: string): Buffer | string {
  if (!secret.startsWith(prefix)) return `it does not begin with ${prefix}`;
  const written = secret.slice(prefix.length);
  const key = Buffer.from(written, 'base64');
  if (key.toString('base64').replace(/=+$/, '') !== written.replace(/=+$/, ''))
    return `what follows ${prefix} is not base64`;
  if (key.length < octets.least || key.length > octets.most)
    return `it has ${key.length} octets; ${octets.least} to ${octets.most} are wanted`;
  return key;
}

export interface Signed {
  readonly id: string;
  /** Seconds since 1970, of this attempt. */
  readonly seconds: number;
  readonly body: string;
}

/** The three headers. @throws TypeError for a secret that was not checked */
export function signatureHeaders(
  { id, seconds, body }: Signed,
  secret: string,
): Readonly<Record<string, string>> {
  const key = secretKey(secret);
  if (typeof key === 'string') throw new TypeError('the secret of a webhook was not checked');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
