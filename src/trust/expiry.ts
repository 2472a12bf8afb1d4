// Ends that have passed are written down when they are noticed, so that a clock set back revives nothing. Pure.

import { entry, finish, startFrom, type Draft, type Lesson } from './draft.ts';
import { expectationText, withoutOver } from './expected.ts';
import type { EndpointRecord, Pin } from './record.ts';

/** The record with its ends written down; null when none has passed. */
export function noticeExpiry(record: EndpointRecord, now: number): Lesson | null {
  return finish(expire(startFrom(record), now), record);
}

export const expire = (draft: Draft, now: number): Draft => expireExpected(expirePins(draft, now), now);

function expireExpected(draft: Draft, now: number): Draft {
  const { record } = draft;
  const left = withoutOver(record, now);
  if (left === record) return draft;
  const ended = (record.expected ?? []).filter((one) => !(left.expected ?? []).includes(one));
  const audit = ended.map((one) =>
    entry(record.endpoint, now, ['expired', null, `${expectationText(one)} is not expected any more`]),
  );
  return { ...draft, record: left, audit: [...draft.audit, ...audit], moved: true };
}

function expirePins(draft: Draft, now: number): Draft {
  const over = (pin: Pin): boolean => pin.endedAt === null && pin.until !== null && pin.until <= now;
  const ended = draft.record.pins.filter(over);
  if (ended.length === 0) return draft;
  const pins = draft.record.pins.map((pin) => (over(pin) ? { ...pin, endedAt: now } : pin));
  const audit = ended.map((pin) =>
    entry(draft.record.endpoint, now, ['expired', pin.spki, 'its end has passed']),
  );
  return { ...draft, record: { ...draft.record, pins }, audit: [...draft.audit, ...audit], moved: true };
}
