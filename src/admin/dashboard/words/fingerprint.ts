// Reads a fingerprint as people paste it, with the leniency of the server (src/trust/fingerprint.ts), so that the page
// can say at once what is missing. The server reads it again and decides. Pure, and without Node.

export type Typed =
  | { readonly kind: 'empty' }
  /** `bytes`: the digest in lower-case hexadecimal. `either`: it may be that of a key or of a certificate. */
  | { readonly kind: 'spki' | 'either'; readonly digest: string }
  | { readonly kind: 'wrong'; readonly problem: string };

const wanted = 'The full SHA-256 fingerprint is needed: sha256//… (44 characters) or 64 hexadecimal digits.';
const label = /^(?:sha-?256(?: fingerprint)?)\s*[:=]\s*/i;
const pairs = /^[0-9a-f]{2}(?:([:\- ]?)[0-9a-f]{2})(?:\1[0-9a-f]{2})*$/i;

export function readTyped(text: string): Typed {
  const trimmed = text.trim();
  if (trimmed === '') return { kind: 'empty' };
  if (trimmed.slice(0, 8).toLowerCase() === 'sha256//') return readBase64(trimmed.slice(8));
  const body = trimmed.replace(label, '');
  if (pairs.test(body)) {
    const digest = body.replace(/[:\- ]/g, '').toLowerCase();
    if (digest.length === 64) return { kind: 'either', digest };
  }
  return { kind: 'wrong', problem: problemOf(trimmed, body) };
}

function readBase64(text: string): Typed {
  const bare = text.replace(/=$/, '');
  const bytes = /^[A-Za-z0-9+/]{43}$/.test(bare) ? octetsOf(`${bare}=`) : null;
  return bytes === null
    ? {
        kind: 'wrong',
        problem: `Behind sha256// stand 44 characters of base64; here are ${text.length}.`,
      }
    : { kind: 'spki', digest: bytes };
}

/** Null unless it is the one way to write 32 octets: the last character has two bits that must be zero. */
function octetsOf(base64: string): string | null {
  const binary = atob(base64);
  if (btoa(binary) !== base64) return null;
  return Array.from(binary, (octet) => octet.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function problemOf(trimmed: string, body: string): string {
  if (/^[0-9a-z]{8}$/i.test(trimmed))
    return `That is a reference, too short to compare a key with. ${wanted}`;
  if (!/^[0-9a-f:\- ]+$/i.test(body)) return `That is no fingerprint. ${wanted}`;
  const digits = body.replace(/[^0-9a-f]/gi, '').length;
  const guess = digits === 40 ? ' (SHA-1)' : digits === 32 ? ' (MD5)' : '';
  return `That has ${digits} hexadecimal digits${guess}. ${wanted}`;
}

/** Whether what was typed names the key or, where it can, the certificate. */
export function namesKey(
  typed: Typed,
  shown: { readonly spki: string; readonly sha256: string | null },
): boolean {
  if (typed.kind !== 'spki' && typed.kind !== 'either') return false;
  const key = readTyped(shown.spki);
  if (key.kind === 'spki' && key.digest === typed.digest) return true;
  const certificate = shown.sha256?.replaceAll(':', '').toLowerCase();
  return typed.kind === 'either' && certificate === typed.digest;
}
