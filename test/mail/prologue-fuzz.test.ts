import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prologue, prologueLimits as limits, type PrologueResult } from '../../src/mail/prologue.ts';
import { rows, said, type Protocol } from './prologue-rows.ts';
import { play, whole } from './transcript.ts';

const fragments: Readonly<Record<Protocol, readonly string[]>> = {
  imap: [
    '* OK',
    '* BYE',
    '* PREAUTH',
    '* CAPABILITY',
    ' STARTTLS',
    'z1 OK',
    'z2 OK',
    'z1 NO',
    'z2 BAD',
    '+ ',
    ' {3}',
    ' x',
  ],
  pop3: ['+OK', '-ERR', '+ ', 'STLS', 'SASL PLAIN', '.', ' x'],
  smtp: ['220', '250', '554', '-', ' ', 'STARTTLS', 'x'],
  lmtp: ['220', '250', '421', '-', ' ', 'STARTTLS', 'x'],
  sieve: ['"STARTTLS"', '"SASL" "PLAIN"', 'OK', 'NO', 'BYE', ' "x"', ' {3}', ' {2+}', 'abc'],
};
const anywhere = ['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\0', '\xff', 'x'.repeat(3000)];

/** Small and quick (mulberry32): a seed from fast-check gives a thousand talks. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield (mixed ^ (mixed >>> 14)) >>> 0;
  }
}

describe('a hundred thousand random talks', () => {
  const talks = 250;
  const good = rows.filter(({ end }) => end === 'ok');
  it(
    'never throw, never say more than the two commands, and end within the limits',
    { timeout: 60_000 },
    () => {
      const ends = { accepted: 0, refused: 0, waiting: 0 };
      fc.assert(
        fc.property(fc.integer(), fc.constantFrom(...good), (seed, { protocol, server }) => {
          const random = numbers(seed);
          for (let talk = 0; talk < talks; talk += 1) {
            const turns = disturb(server.join('').split(/(?<=\n)/), { protocol, random });
            const played = play(prologue(protocol), turns, { limits, cut: whole });
            expect(said[protocol].join('').startsWith(played.said)).toBe(true);
            ends[endName(played.end)] += 1;
            if (played.end === 'waits') expect(turns.join('').length).toBeLessThanOrEqual(limits.totalBytes);
            if (endName(played.end) === 'accepted') {
              expect(played.said).toBe(said[protocol].join(''));
              expect(turns.join('').toUpperCase()).toMatch(/STARTTLS|STLS/);
            }
          }
        }),
        { numRuns: 400 },
      );
      // Near enough to real talks for every kind of end to be common.
      expect(Math.min(...Object.values(ends))).toBeGreaterThan(1000);
    },
  );
});

/** A good transcript with up to three of its lines replaced, doubled, moved or spoilt. */
function disturb(
  lines: readonly string[],
  { protocol, random }: { readonly protocol: Protocol; readonly random: Generator<number, never> },
): readonly string[] {
  const below = (limit: number): number => random.next().value % limit;
  const noise = [...fragments[protocol], ...anywhere];
  const disturbed = [...lines];
  for (let count = below(4); count > 0; count -= 1) {
    const made = Array.from({ length: below(4) }, () => noise[below(noise.length)] ?? '').join('');
    disturbed.splice(below(disturbed.length + 1), below(2), below(2) === 0 ? made : `${made}\r\n`);
  }
  return disturbed;
}

function endName(end: ReturnType<typeof play<PrologueResult>>['end']): 'accepted' | 'refused' | 'waiting' {
  if (end === 'waits') return 'waiting';
  return 'result' in end && end.result.ok ? 'accepted' : 'refused';
}
