// The text under every answer to a command: which keys stay trusted, and until when. It is read after every
// change of trust, so it says the whole of it and not only what the command was about.

import type { Situation } from './command.ts';
import { expectationText, liveExpectations } from './expected.ts';
import type { EndpointRecord } from './record.ts';
import { isOver, isRejected } from './standing.ts';

/** `2026-11-23 14:05 UTC`. */
export const dateOf = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** One line for each key that counts under `record`, or the line that says there is none. */
export function trustedLines(record: EndpointRecord, situation: Situation): readonly string[] {
  const lines = [
    ...caLines(record, situation),
    ...pinLines(record, situation),
    ...configLines(record, situation),
    ...liveExpectations(record, situation.now).map(
      (one) => `  ${expectationText(one)}, imported and not seen yet, ${untilText(one.until)}`,
    ),
  ];
  return lines.length === 0 ? [nothingTrusted(record)] : ['Trusted from now on:', ...lines];
}

function caLines(record: EndpointRecord, { settings }: Situation): readonly string[] {
  const byCa = settings.configPins.length === 0 && (record.basis === 'ca' || settings.policy === 'ca');
  return byCa ? ['  any key that a trusted CA vouches for under this name'] : [];
}

function pinLines(record: EndpointRecord, situation: Situation): readonly string[] {
  const noSeal = {
    now: situation.now,
    sealed: { rejected: new Set<string>(), until: new Map<string, number>() },
  };
  return record.pins
    .filter(
      (pin) =>
        pin.origin !== 'config' && !isOver(pin, noSeal) && !isRejected({ record, ...noSeal }, pin.spki),
    )
    .map((pin) => {
      const what = pin.kind === 'anchor' ? `anchor, ${pin.origin}` : pin.origin;
      return `  ${pin.spki} (${what}) ${untilText(pin.until)}`;
    });
}

/** `without an end`, or `until …`. */
export const untilText = (until: number | null): string =>
  until === null ? 'without an end' : `until ${dateOf(until)}`;

function configLines(record: EndpointRecord, { settings }: Situation): readonly string[] {
  const rejected = new Set(record.rejected.map((rejection) => rejection.spki));
  return settings.configPins
    .filter((spki) => !rejected.has(spki))
    .map(
      (spki) => `  ${spki} (config) as long as the pins: line of this endpoint in the configuration names it`,
    );
}

const nothingTrusted = (record: EndpointRecord): string =>
  record.basis === 'none'
    ? 'No key is trusted; the endpoint counts as never seen.'
    : 'No key is trusted any more: every session is refused until a key is approved or the endpoint is forgotten.';
