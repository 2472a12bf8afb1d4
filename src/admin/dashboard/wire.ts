// What the admin API answers, by the names the page uses. Types only: nothing of the daemon is in the bundle.

export type { EndpointRow, FeedEntry, LastVerdict, ProbeShape, SessionRow } from '../live-shapes.ts';
export type { AnswerShape, CandidateRow, HistoryRow, PinRow, PinsRow, ReloadShape } from '../shapes.ts';
export type { ComparisonShape as Comparison, RouteRow, StatusShape, VerifyShape } from '../shapes.ts';
export type { Difference, Side } from '../../trust/comparison.ts';
export type { Explanation } from '../../trust/explanation.ts';

/** What a one-time code is worth. */
export interface SessionGrant {
  readonly token: string;
  readonly scope: 'read' | 'admin';
  readonly expiresAt: string;
}
