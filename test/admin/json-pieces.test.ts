import { assert, asyncProperty, jsonValue } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonPieces } from '../../src/admin/json-pieces.ts';
import { turnsDuring } from '../turns.ts';

const piecesOf = async (body: unknown): Promise<readonly string[]> => {
  const pieces: string[] = [];
  for await (const piece of jsonPieces(body)) pieces.push(piece);
  return pieces;
};

describe('an answer in pieces', () => {
  test.each([
    [[]],
    [{}],
    [null],
    ['text'],
    [[1, [2, [3]], { a: [] }]],
    [{ records: [], damaged: ['a'], at: null, gone: undefined }],
    [[undefined, 'a']],
    [{ at: new Date(0), 'odd "key"': 1 }],
  ])('comes to what JSON.stringify makes of %j', async (body) => {
    expect((await piecesOf(body)).join('')).toBe(JSON.stringify(body));
  });

  test('comes to what JSON.stringify makes of any JSON', async () => {
    await assert(
      asyncProperty(jsonValue(), async (body) => {
        expect((await piecesOf(body)).join('')).toBe(JSON.stringify(body));
      }),
    );
  });

  test('is many pieces where it is long, and one where it is short', async () => {
    const long = { records: Array.from({ length: 2000 }, (_, at) => ({ at, pem: 'x'.repeat(1000) })) };
    const pieces = await piecesOf(long);
    expect(pieces.length).toBeGreaterThan(20);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
    expect(pieces.join('')).toBe(JSON.stringify(long));
    expect(await piecesOf(long.records.slice(0, 3))).toHaveLength(1);
  });

  test('lets the event loop turn while it is made', async () => {
    const slow = { toJSON: (): string => (spin(2), 'x') };
    const { turns, result } = await turnsDuring(() => piecesOf(Array.from({ length: 50 }, () => slow)));
    expect(result.join('')).toBe(JSON.stringify(Array.from({ length: 50 }, () => 'x')));
    expect(turns).toBeGreaterThan(3);
  });
});

/** Works without a pause. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
