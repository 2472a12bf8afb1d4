// The Operator of a running daemon: each question goes over its socket (line.ts), and so does the feed of events
// (remote-feed.ts). It knows the routes and nothing else.

import { exchange } from './line.ts';
import type { Line } from './line.ts';
import type { EndpointRow, ProbeShape, SessionRow } from './live-shapes.ts';
import type { Operator } from './operator.ts';
import { followRemote } from './remote-feed.ts';
import type {
  AnswerShape,
  BackupShape,
  ComparisonShape,
  DashboardShape,
  ExplanationShape,
  HistoryRow,
  ImportShape,
  PinsRow,
  ReloadShape,
  StatusShape,
  VerifyShape,
} from './shapes.ts';

export interface ClientOptions {
  /** For one question up to the beginning of its answer, and for each part of that; default 30 000. */
  readonly deadlineMs?: number;
  /** Default 384 MiB: a text may not be much longer. */
  readonly maxAnswerBytes?: number;
  /** A feed that shows no sign of life for so long has broken off; default 45 000. */
  readonly silenceMs?: number;
  /** What an order is written down as; default `cli`. */
  readonly origin?: 'cli' | 'admin';
}

/** A server may take a minute before it is given up, and its turn before that. */
const probeDeadlineMs = 130_000;

/** Connects at each call, not here. `close` has nothing to close. */
export function remoteOperator(socketPath: string, options: ClientOptions = {}): Operator {
  const line: Line = {
    socketPath,
    deadlineMs: options.deadlineMs ?? 30_000,
    maxAnswerBytes: options.maxAnswerBytes ?? 384 * 1024 * 1024,
    silenceMs: options.silenceMs ?? 45_000,
    origin: options.origin ?? 'cli',
  };
  const read = <T>(path: string): Promise<T> => exchange<T>(line, { method: 'GET', path, body: null });
  const order = <T>(path: string, body: unknown): Promise<T> =>
    exchange<T>(line, { method: 'POST', path, body });
  return {
    source: 'daemon',
    status: () => read<StatusShape>('/v1/status'),
    pins: () => read<readonly PinsRow[]>('/v1/pins'),
    pin: (endpoint) => read<PinsRow>(`/v1/pins/${encodeURIComponent(endpoint)}`),
    history: (endpoint) =>
      read<readonly HistoryRow[]>(
        `/v1/history${endpoint === null ? '' : `?endpoint=${encodeURIComponent(endpoint)}`}`,
      ),
    sessions: () => read<readonly SessionRow[]>('/v1/sessions'),
    endpoints: () => read<readonly EndpointRow[]>('/v1/endpoints'),
    candidate: (ref) => read<ComparisonShape>(`/v1/candidates/${encodeURIComponent(ref)}`),
    probe: (endpoint) =>
      exchange<ProbeShape>(
        { ...line, deadlineMs: Math.max(line.deadlineMs, probeDeadlineMs) },
        { method: 'POST', path: '/v1/probes', body: { endpoint } },
      ),
    dashboard: (wanted) => order<DashboardShape>('/v1/dashboard', wanted),
    follow: (following) => followRemote(line, following),
    command: (command) => order<AnswerShape>('/v1/commands', command),
    import: (wanted) => order<ImportShape>('/v1/import', wanted),
    backup: () => read<BackupShape>('/v1/records'),
    explain: (target) => read<ExplanationShape>(`/v1/explain/${encodeURIComponent(target)}`),
    reload: () => order<ReloadShape>('/v1/reload', null),
    verify: () => order<VerifyShape>('/v1/verify', null),
    close: async () => undefined,
  };
}
