import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  concludePrologue,
  prologue,
  prologueFault,
  prologueLimits as limits,
  type PrologueResult,
} from '../../src/mail/prologue.ts';
import { Talk } from '../../src/mail/talk.ts';
import { rows, said, type Protocol, type Row } from './prologue-rows.ts';
import { anyCut, byteByByte, crlf, play, whole, type Cut } from './transcript.ts';

/** Plays a row to its last word, as net and session conclude it. */
function verdictOf(row: Row, cut: Cut): { readonly end: Row['end']; readonly said: string } {
  const played = play(prologue(row.protocol), row.server, { limits, cut });
  if (played.end === 'waits') return { end: 'waits', said: played.said };
  const result =
    'fault' in played.end
      ? prologueFault(played.end.fault)
      : concludePrologue(played.end.result, Buffer.from(played.left, 'latin1'));
  return { end: result.ok ? 'ok' : result.reason, said: played.said };
}

const detailOf = (end: ReturnType<typeof play<PrologueResult>>['end']): string =>
  end !== 'waits' && 'result' in end && !end.result.ok ? end.result.detail : '';

const expected = (row: Row): { readonly end: Row['end']; readonly said: string } => ({
  end: row.end,
  said: said[row.protocol].slice(0, row.sent).join(''),
});

describe('a prologue', () => {
  for (const row of rows) {
    it(`${row.protocol}: ${row.name}: ${row.end}`, () => {
      expect(verdictOf(row, whole)).toEqual(expected(row));
      expect(verdictOf(row, byteByByte)).toEqual(expected(row));
      const atOnce = { ...row, server: [row.server.join('')] };
      expect(verdictOf(atOnce, whole)).toEqual(expected(row));
    });
  }

  it('has the same verdict however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...rows), anyCut, (row, cut) => {
        expect(verdictOf(row, cut)).toEqual(expected(row));
      }),
      { numRuns: 1000 },
    );
  });

  const injected: readonly (readonly [Protocol, string])[] = [
    ['imap', '* CAPABILITY IMAP4rev1 AUTH=LOGIN\r\na2 OK in\r\n'],
    ['smtp', '250-x\r\n250 AUTH PLAIN\r\n'],
    ['lmtp', '250 x\r\n'],
    ['pop3', '+OK\r\nPLAIN\r\n.\r\n'],
    ['sieve', '"SASL" "PLAIN"\r\nOK\r\n'],
    ['smtp', '250 AUTH PLAIN'],
    ['imap', '\n'],
    ['pop3', '\0'],
    ['sieve', ' '],
  ];
  for (const [protocol, bytes] of injected) {
    it(`C5, C6: ${protocol}: refuses ${JSON.stringify(bytes)} behind the go-ahead`, () => {
      const good = rows.find((row) => row.protocol === protocol && row.end === 'ok');
      if (good === undefined) throw new Error('no good row');
      const server = [...good.server.slice(0, -1), `${good.server.at(-1) ?? ''}${bytes}`];
      const row: Row = { ...good, server, end: 'injected-bytes' };
      for (const cut of [whole, byteByByte]) expect(verdictOf(row, cut)).toEqual(expected(row));
      expect(verdictOf(good, whole)).toEqual(expected(good));
    });
  }

  it('C16: has the same one result whatever the server claimed before TLS', () => {
    const results = rows
      .filter((row) => row.end === 'ok')
      .map((row) => play(prologue(row.protocol), row.server, { limits, cut: whole }).end);
    expect(new Set(results.map((result) => JSON.stringify(result)))).toEqual(
      new Set(['{"result":{"ok":true}}']),
    );
  });

  it('ends without a greeting when the server closes, at whatever point', () => {
    for (const row of rows.filter(({ end }) => end === 'ok')) {
      for (let turns = 0; turns < row.server.length; turns += 1) {
        const talk = new Talk(prologue(row.protocol), limits);
        talk.start();
        for (const turn of row.server.slice(0, turns)) talk.feed(Buffer.from(turn));
        expect(talk.end()).toMatchObject({ state: 'fault', fault: 'ended' });
      }
    }
    expect(prologueFault('ended')).toMatchObject({ ok: false, reason: 'no-greeting' });
  });

  it('tells what a server said that gives no list', () => {
    const told = play(prologue('smtp'), [crlf('220 mail'), crlf('502 5.5.1 what')], { limits, cut: whole });
    expect(detailOf(told.end)).toContain('502 5.5.1 what');
  });

  it('lets nothing of what the server said out but a short detail without controls', () => {
    const evil = '\x1b]0;owned\x07\x9b\xe2\x80\xae\\';
    const told = play(prologue('pop3'), [crlf(`-ERR ${evil}${'x'.repeat(500)}`)], { limits, cut: whole });
    const detail = detailOf(told.end);
    expect(detail).toContain('\\x1b]0;owned\\x07\\x9b\\xe2\\x80\\xae\\\\');
    expect(detail).toHaveLength(200);
    for (const row of rows) {
      const { end } = play(prologue(row.protocol), row.server, { limits, cut: whole });
      expect(detailOf(end)).toMatch(/^[ -~]{0,200}$/);
    }
  });
});
