// Keeps the desk up to date: polls what changes all the time, follows the events, and asks again for the rest when an
// event says that it changed.

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EndpointRow, FeedEntry, SessionGrant, SessionRow, StatusShape } from '../wire.ts';
import { openApi } from './api.ts';
import type { Desk } from './desk.ts';
import { followFeed } from './feed.ts';
import { noRates, withSessions } from './rates.ts';
import { usePolled } from './use-polled.ts';

const keptEntries = 1000;
const liveMs = 2000;
const slowMs = 15_000;

/** Events after which endpoints, pins and history look different. */
const telling: ReadonlySet<string> = new Set([
  'pin-changed',
  'certificate-renewed',
  'key-untrusted',
  'probed',
  'reloaded',
  'session-ended',
  'store-health',
]);

export interface DeskState extends Omit<Desk, 'moved'> {
  /** What was said last, for the live region. */
  readonly said: string;
}

export function useDeskState(grant: SessionGrant, theme: string, expired: () => void): DeskState {
  const api = useMemo(() => openApi(grant.token, expired), [grant.token, expired]);
  const now = useNow();
  const status = usePolled<StatusShape>(api, 'status', liveMs);
  const sessions = usePolled<readonly SessionRow[]>(api, 'sessions', liveMs);
  const endpoints = usePolled<readonly EndpointRow[]>(api, 'endpoints', slowMs);
  const samples = useSamples(sessions.value);
  const [said, say] = useState('');
  const { entries, connected, missed, changes } = useFeed(api, say);
  const { refresh } = endpoints;
  const away = status.error !== null;
  useEffect(() => {
    if (changes > 0) refresh();
  }, [changes, refresh]);
  useEffect(() => {
    // Whoever is back has to say how it stands by now.
    if (!away) refresh();
  }, [away, refresh]);
  const feed = useMemo(() => ({ connected, missed }), [connected, missed]);
  // Whatever the reason is, such as a door with no daemon behind it: what stands on the page is old.
  const lost = status.error ?? sessions.error ?? endpoints.error;
  const mayWrite = grant.scope === 'admin';
  return {
    api,
    mayWrite,
    now,
    status,
    sessions,
    endpoints,
    samples,
    entries,
    feed,
    theme,
    changes,
    say,
    said,
    lost,
  };
}

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function useSamples(sessions: readonly SessionRow[] | null): Desk['samples'] {
  const [rates, setRates] = useState(noRates);
  useEffect(() => {
    if (sessions !== null) setRates((last) => withSessions(last, sessions, Date.now()));
  }, [sessions]);
  return rates.samples;
}

interface FeedState {
  readonly entries: readonly FeedEntry[];
  readonly connected: boolean;
  readonly missed: boolean;
  readonly changes: number;
}

function useFeed(api: Desk['api'], say: (text: string) => void): FeedState {
  const [entries, setEntries] = useState<readonly FeedEntry[]>([]);
  const [connected, setConnected] = useState(false);
  const [missed, setMissed] = useState(false);
  const [changes, setChanges] = useState(0);
  const waiting = useRef<FeedEntry[]>([]);
  // A storm of entries is drawn a few times a second, not once for each.
  const flush = useCallback(() => {
    const fresh = waiting.current.splice(0);
    if (fresh.length === 0) return;
    setEntries((known) => [...known, ...fresh].slice(-keptEntries));
    if (fresh.some(({ event }) => telling.has(event))) setChanges((count) => count + 1);
    const loud = fresh.findLast(({ level }) => level === 'warn' || level === 'error');
    if (loud !== undefined && Date.now() - Date.parse(loud.at) < 30_000) say(loud.message);
  }, [say]);
  useEffect(() => {
    const ended = new AbortController();
    const timer = setInterval(flush, 400);
    const listener = {
      entries: (fresh: readonly FeedEntry[]) => {
        waiting.current.push(...fresh);
        if (waiting.current.length > keptEntries)
          waiting.current.splice(0, waiting.current.length - keptEntries);
      },
      missed: () => setMissed(true),
      connected: setConnected,
    };
    void followFeed(api, listener, ended.signal);
    return () => {
      ended.abort();
      clearInterval(timer);
    };
  }, [api, flush]);
  return { entries, connected, missed, changes };
}
