// The protocols letterlock speaks a prologue for, and the URL schemes that name them.

export type Protocol = 'imap' | 'pop3' | 'smtp' | 'lmtp' | 'sieve' | 'tls';
export type UpstreamTls = 'implicit' | 'starttls';

export interface Scheme {
  readonly scheme: string;
  readonly protocol: Protocol;
  readonly upstreamTls: UpstreamTls;
  /** Default upstream port; null where the URL must name it. */
  readonly port: number | null;
  /** Default local port; null where the route must name it. */
  readonly localPort: number | null;
}

/** First row of a protocol and mode is its canonical scheme; `smtps` and `smtp` are aliases. */
export const schemes: readonly Scheme[] = [
  { scheme: 'imaps', protocol: 'imap', upstreamTls: 'implicit', port: 993, localPort: 1143 },
  { scheme: 'imap', protocol: 'imap', upstreamTls: 'starttls', port: 143, localPort: 1143 },
  { scheme: 'pop3s', protocol: 'pop3', upstreamTls: 'implicit', port: 995, localPort: 1110 },
  { scheme: 'pop3', protocol: 'pop3', upstreamTls: 'starttls', port: 110, localPort: 1110 },
  { scheme: 'submissions', protocol: 'smtp', upstreamTls: 'implicit', port: 465, localPort: 1587 },
  { scheme: 'smtps', protocol: 'smtp', upstreamTls: 'implicit', port: 465, localPort: 1587 },
  { scheme: 'submission', protocol: 'smtp', upstreamTls: 'starttls', port: 587, localPort: 1587 },
  { scheme: 'smtp', protocol: 'smtp', upstreamTls: 'starttls', port: 587, localPort: 1587 },
  { scheme: 'lmtp', protocol: 'lmtp', upstreamTls: 'starttls', port: 24, localPort: 10024 },
  { scheme: 'sieves', protocol: 'sieve', upstreamTls: 'implicit', port: null, localPort: 14190 },
  { scheme: 'sieve', protocol: 'sieve', upstreamTls: 'starttls', port: 4190, localPort: 14190 },
  { scheme: 'tls', protocol: 'tls', upstreamTls: 'implicit', port: null, localPort: null },
];

export const schemeNamed = (name: string): Scheme | null =>
  schemes.find((row) => row.scheme === name) ?? null;
