// Dates, sizes and lifetimes as people read them. Pure: the time comes in as `now`, milliseconds since 1970.

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `2026-11-23 14:05 UTC`, as the command line writes it; the text itself when it is no date. */
export function dateText(iso: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`;

/** `3 days`, `5 minutes`; whole units, rounded down, never below a second. */
export function spanText(ms: number): string {
  const span = Math.max(0, ms);
  if (span >= 730 * day) return counted(Math.floor(span / (365 * day)), 'year');
  if (span >= 60 * day) return counted(Math.floor(span / (30 * day)), 'month');
  if (span >= 2 * day) return counted(Math.floor(span / day), 'day');
  if (span >= 2 * hour) return counted(Math.floor(span / hour), 'hour');
  if (span >= 2 * minute) return counted(Math.floor(span / minute), 'minute');
  return counted(Math.max(1, Math.floor(span / 1000)), 'second');
}

/** `5 minutes ago`, `in 3 days`, `just now`. */
export function agoText(iso: string, now: number): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  if (Math.abs(now - at) < 5000) return 'just now';
  return at > now ? `in ${spanText(at - now)}` : `${spanText(now - at)} ago`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `12 B`, `3.4 kB`, `120 MB`; powers of 1000. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  const shown = power === 0 || value >= 100 ? Math.round(value).toString() : value.toFixed(1);
  return `${shown} ${units[power] ?? 'B'}`;
}

export interface Lifetime {
  /** How much of it is over, 0 to 1. */
  readonly spent: number;
  readonly phase: 'not-yet' | 'good' | 'ending' | 'over';
  readonly text: string;
}

/** Where a certificate stands between its dates; null when they cannot be read. */
export function lifetimeOf(
  { notBefore, notAfter }: { readonly notBefore: string | null; readonly notAfter: string | null },
  now: number,
): Lifetime | null {
  const from = Date.parse(notBefore ?? '');
  const to = Date.parse(notAfter ?? '');
  if (Number.isNaN(from) || Number.isNaN(to) || to <= from) return null;
  if (now < from) return { spent: 0, phase: 'not-yet', text: `valid in ${spanText(from - now)}` };
  if (now > to) return { spent: 1, phase: 'over', text: `ran out ${spanText(now - to)} ago` };
  const left = to - now;
  return {
    spent: (now - from) / (to - from),
    phase: left < endingSpan(to - from) ? 'ending' : 'good',
    text: `${spanText(left)} left`,
  };
}

/** Certificates of months are renewed weeks before their end; those of days have no weeks. */
const endingSpan = (lifetimeMs: number): number => Math.min(14 * day, lifetimeMs / 4);

/** `AB:CD:…` in rows of eight octets, `sha256//…` in groups of eleven characters: for reading aloud. */
export function groupsOf(fingerprint: string): readonly string[] {
  if (fingerprint.startsWith('sha256//'))
    return ['sha256//', ...(fingerprint.slice(8).match(/.{1,11}/g) ?? [])];
  return fingerprint.match(/.{1,24}/g) ?? [];
}
