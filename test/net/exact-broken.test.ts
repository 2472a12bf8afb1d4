import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carriage, type Scenario } from './exact-carriage.ts';
import { brokenCopy, type Break, type Copy } from './exact-copy.ts';
import { crowd } from './exact-crowd.ts';
import { ends } from './exact-ends.ts';
import { Rig, type Reading } from './exact-rig.ts';
import { stageIn, type Stage } from './exact-scene.ts';

interface Fault extends Break {
  /** What the broken relay does. */
  readonly name: string;
  /** The way of reading on which the line lies. */
  readonly reading: Reading;
  /** Each finds it; the first scenario that has this in its name. */
  readonly foundBy: readonly string[];
  /** What each of them says. */
  readonly saying: RegExp;
}

/** What both ways of reading go through. */
const always = { file: 'relay.ts', reading: 'own-buffers' } as const;
const stream = { file: 'flow.ts', reading: 'streams' } as const;
const own = { file: 'flow.ts', reading: 'own-buffers' } as const;
const stalls = /bytes (?:arrived|written)(?:.*), then nothing/;
const wrong = /wrong byte at offset \d+/;

const faults: readonly Fault[] = [
  {
    ...own,
    name: 'gives memory back that is still being written',
    find: 'if (destination.writableLength > 0) return;\n    // Nothing',
    replace: '// Nothing',
    foundBy: ['in memory that stays as it is', 'that stall often', 'for long when'],
    saying: wrong,
  },
  {
    ...own,
    name: 'gives memory back twice',
    find: 'held = null;\n    buffers?.give(slab);',
    replace: 'buffers?.give(slab);',
    foundBy: ['pending for some'],
    saying: wrong,
  },
  {
    file: 'read-buffers.ts',
    reading: 'own-buffers',
    name: 'lends the same memory to two',
    find: 'this.#spare.pop()',
    replace: 'this.#spare[0]',
    foundBy: ['at any time'],
    saying: wrong,
  },
  {
    ...own,
    name: 'copies what was read after others have read',
    find: 'buffers.landing.copy(this.#slab, this.#filled, 0, bytes);',
    replace:
      'const [slab, at] = [this.#slab, this.#filled]; setImmediate(() => buffers.landing.copy(slab, at, 0, bytes));',
    foundBy: ['a record each', 'all speak in one turn'],
    saying: wrong,
  },
  {
    ...own,
    name: 'hands on the memory that others read into',
    find: 'Buffer.from(buffers.landing.subarray(0, bytes))',
    replace: 'buffers.landing.subarray(0, bytes)',
    foundBy: ['all speak in one turn', 'pending for some'],
    saying: wrong,
  },
  {
    ...own,
    file: 'relay.ts',
    name: 'reads for itself what another relay will have to read',
    find: 'buffers,\n      mayBeLeft: this.#asked !== null,\n      take: (chunk) => this.#fromClient(chunk),',
    replace: 'buffers,\n      mayBeLeft: false,\n      take: (chunk) => this.#fromClient(chunk),',
    foundBy: ['leaves the client to another server'],
    saying: /./,
  },
  {
    ...own,
    name: 'copies each read to the same place',
    find: 'copy(this.#slab, this.#filled, 0, bytes);',
    replace: 'copy(this.#slab, 0, 0, bytes);',
    foundBy: ['1400 bytes, a record each', 'pieces of 1 MiB'],
    saying: wrong,
  },
  {
    ...own,
    name: 'goes on behind the end of its memory',
    find: 'this.#filled + bytes > slabBytes ? this.#cut() : null',
    replace: 'this.#filled + bytes > 2 * slabBytes ? this.#cut() : null',
    foundBy: ['that stall for long'],
    saying: /wrong byte at offset \d+: its own bytes of offset \d+, some are lost|wrong byte|then/,
  },
  {
    ...own,
    name: 'loses the last byte of a read',
    find: 'this.#filled += bytes;',
    replace: 'this.#filled += bytes - 1;',
    foundBy: ['pieces of 7 bytes, apart', 'pieces of 65 536', 'begins with what lay there, tcp'],
    saying:
      /wrong byte at offset \d+: (?:its own bytes of offset \d+, some are lost|too few|bytes of nowhere)|then/,
  },
  {
    ...own,
    name: 'loses what came in the turn of the end',
    find: 'this.flush();\n    this.#options.ended();',
    replace: 'this.#options.ended();',
    foundBy: ['right behind data', 'for long when the other way has ended'],
    saying: /bytes arrived, then an end/,
  },
  {
    ...own,
    name: 'forgets what it gathered when little comes again',
    find: 'this.#beCalm();\n    this.#send();',
    replace: 'return this.#beCalm();\n    this.#send();',
    foundBy: ['pieces of 7 bytes, apart'],
    saying: wrong,
  },
  {
    ...own,
    name: 'sends nothing on before its memory is full',
    find: 'this.#turn ??= setImmediate(this.#atTurn);',
    replace: '',
    foundBy: ['pieces of 7 bytes, apart', 'all speak in one turn'],
    saying: stalls,
  },
  {
    ...own,
    name: 'reads on in its own buffers for a reader that is full',
    find: 'if (destination.writableLength >= pendingBytes) this.#wait();',
    replace: '',
    foundBy: ['and goes on where they do, tcp', 'and goes on where they do, unix'],
    saying: /bytes were taken for a reader that reads nothing|the relay holds/,
  },
  {
    ...own,
    name: 'counts nothing of what it reads into its own buffers',
    find: 'carried(bytes);',
    replace: '',
    foundBy: ['pieces of 65 536'],
    saying: /bytes counted of \d+ delivered/,
  },
  {
    ...own,
    name: 'reads into its own buffers while the filter still looks',
    find: 'const asItIs = plain();',
    replace: 'const asItIs = true;',
    foundBy: ['lets a filter cut'],
    saying: /wrong byte|then/,
  },
  {
    ...own,
    name: 'never reads on once a reader was full',
    find: 'source.resume();\n  };',
    replace: '};',
    foundBy: ['that stall often', 'and goes on where they do, unix'],
    saying: stalls,
  },
  {
    ...own,
    name: 'gives up a reader that took something meanwhile',
    find: 'this.#stuck.stop();\n    source.resume();',
    replace: 'source.resume();',
    foundBy: ['for longer than it may take nothing'],
    saying: /the relay broken|then a/,
  },
  {
    ...own,
    name: 'waits for ever for a reader',
    find: 'this.#stuck.start(this.#options.drainMs);',
    replace: '',
    foundBy: ['takes nothing for too long'],
    saying: /the relay did not end/,
  },
  {
    file: 'read-buffers.ts',
    reading: 'own-buffers',
    name: 'keeps its memory',
    find: 'if (this.#spare.length < spareSlabs) this.#spare.push(slab);',
    replace: '(globalThis.exactKept ??= []).push(slab);',
    foundBy: ['gives back'],
    saying: /sessions that are over hold \d+ bytes/,
  },
  {
    ...stream,
    name: 'goes on reading a stream for a reader that is full',
    find: 'if (destination.write(bytes, this.#drained)) return;',
    replace: 'destination.write(bytes);\n    return;',
    foundBy: ['and goes on where they do, tcp', 'and goes on where they do, tls'],
    saying: /bytes were taken for a reader that reads nothing|the relay holds/,
  },
  {
    ...stream,
    name: 'writes each piece twice',
    find: 'if (destination.write(bytes, this.#drained)) return;',
    replace: 'destination.write(bytes); if (destination.write(bytes)) return;',
    foundBy: ['pieces of 1 byte, apart', 'pieces of 16 384'],
    saying: /wrong byte at offset \d+: (?:its own bytes of offset \d+, some came twice|too few)|came twice/,
  },
  {
    ...stream,
    name: 'writes from memory into which the next piece is read',
    find: 'if (destination.write(bytes, this.#drained)) return;',
    replace:
      'const shared = (globalThis.exactShared ??= Buffer.alloc(4_000_000)); shared.set(bytes); if (destination.write(shared.subarray(0, bytes.length))) return;',
    foundBy: ['all speak in one turn', 'pending for some'],
    saying: /wrong byte at offset \d+: bytes of (?:session \d+|nowhere)/,
  },
  {
    ...stream,
    name: 'confuses two bytes of a piece of a certain length',
    find: 'if (destination.write(bytes, this.#drained)) return;',
    replace:
      'const [head, tail] = [bytes.subarray(0, -2), bytes.subarray(-2)]; if (destination.write(bytes.length === 16_384 ? Buffer.concat([head, tail.subarray(1), tail.subarray(0, 1)]) : bytes)) return;',
    foundBy: ['pieces of 16 384 bytes', 'right behind data'],
    saying: wrong,
  },
  {
    ...stream,
    name: 'loses what was read before it began',
    find: "source.on('data', this.#take);",
    replace: "source.read(); source.on('data', this.#take);",
    foundBy: ['what lay there, tcp', 'what lay there, tls', 'what lay there, ends included'],
    saying: /wrong byte at offset \d+|bytes arrived, then an end/,
  },
  {
    ...stream,
    name: 'loses a byte upwards where a piece is long',
    file: 'relay.ts',
    find: 'this.#up.write(bytes);',
    replace: 'this.#up.write(bytes.length > 60_000 ? bytes.subarray(1) : bytes);',
    foundBy: [
      'pieces of 1 MiB',
      'every size',
      'that stall for long',
      'for long when the other way has ended',
    ],
    saying: /wrong byte at offset \d+: its own bytes of offset \d+, some are lost/,
  },
  {
    ...always,
    name: 'passes no end on to the client',
    find: 'this.#toClient(filter.flush());\n    client.end();',
    replace: 'this.#toClient(filter.flush());',
    foundBy: ['carries up for long when the other way has ended'],
    saying: /no end arrived, then nothing|a close in place of an end/,
  },
  {
    ...always,
    name: 'passes no end on to the server',
    find: '    upstream.end();\n',
    replace: '',
    foundBy: ['carries down for long when the other way has ended'],
    saying: /no end arrived, then nothing|a close in place of an end|a break/,
  },
  {
    ...always,
    name: 'closes before the last bytes are out',
    find: 'socket.destroySoon();',
    replace: 'socket.destroy();',
    foundBy: [
      'pending down when both',
      'pending up when both',
      'pending down when both sides have ended, unix',
    ],
    saying: /bytes arrived, then|in place of an end/,
  },
  {
    ...always,
    name: 'makes an end of a break',
    find: 'else reset(clientRaw, client);',
    replace: 'else client.end();',
    foundBy: [
      'a reset behind what went down',
      'TLS that breaks right behind data',
      'when aborted in mid-flight',
    ],
    saying: /an end in place of a break/,
  },
  {
    ...always,
    name: 'leaves the server’s side open at a break',
    find: '    reset(raw, upstream);\n  }',
    replace: '  }',
    foundBy: [
      'a reset behind what went up',
      'goes down that its reader has gone',
      'TLS of the client that breaks',
    ],
    saying: /heard nothing of the break/,
  },
  {
    ...always,
    name: 'takes an error for nothing, and the close behind it',
    find: "detail = codeOf(error);\n      this.#broken(side, detail);\n    };\n    const closed = (): void => {\n      if (!socket.readableEnded || detail !== 'closed') this.#broken(side, detail);",
    replace: 'detail = codeOf(error);\n    };\n    const closed = (): void => {',
    foundBy: ['TLS that breaks right behind data'],
    saying: /an end in place of a break|heard nothing of the break|did not end|ended/,
  },
  {
    ...always,
    name: 'does not hear that it is aborted',
    find: "this.#on(signal, () => this.#finish({ state: 'aborted' }));",
    replace: '',
    foundBy: ['when aborted in mid-flight'],
    saying: /the relay did not end/,
  },
  {
    ...always,
    name: 'does not hear that its own socket was closed',
    find: "socket.on('close', closed);",
    replace: '',
    foundBy: ['its own socket is destroyed'],
    saying: /the relay did not end/,
  },
  {
    ...always,
    name: 'counts a byte too much',
    find: "this.#options.counted('up', bytes);",
    replace: "this.#options.counted('up', bytes + 1);",
    foundBy: ['pieces of 7 bytes', 'lets a filter cut', 'undecided when the client ended'],
    saying: /bytes counted of \d+ delivered/,
  },
  {
    ...always,
    name: 'counts nothing downwards',
    find: "if (bytes > 0) this.#options.counted('down', bytes);",
    replace: '',
    foundBy: ['pieces of 1400 bytes, apart', 'gives back'],
    saying: /0 bytes counted of \d+ delivered|arrived, 0 counted/,
  },
  {
    ...always,
    name: 'loses what the filter still holds',
    find: 'this.#toClient(filter.flush());',
    replace: '{}',
    foundBy: ['what a filter holds when the server ends'],
    saying: /99995 of 100000 bytes arrived, then an end/,
  },
  {
    ...always,
    name: 'goes past the filter',
    find: 'filter === null || filter.done ? chunk : filter.downstream(chunk)',
    replace: 'chunk',
    foundBy: ['lets a filter cut', 'the login filter followed'],
    saying: /wrong byte at offset \d+|in place of/,
  },
  {
    ...always,
    name: 'loses what the filter lets go in the piece in which it is done',
    find: 'filter === null || filter.done ? chunk : filter.downstream(chunk)',
    replace:
      'filter === null || filter.done ? chunk : (filter.downstream(chunk), filter.done ? chunk : chunk.subarray(0, 0))',
    foundBy: ['lets a filter cut'],
    saying: wrong,
  },
  {
    ...always,
    name: 'loses the first bytes that it held',
    find: 'return this.#held === null ? held : null;',
    replace: 'return this.#held === null ? chunk : null;',
    foundBy: ['holds the first bytes back'],
    saying: /wrong byte at offset 0: its own bytes of offset \d+/,
  },
  {
    ...always,
    name: 'is not kept from ending by what the server says',
    find: 'this.#touch();\n    this.#doubt?.answered();',
    replace: 'this.#doubt?.answered();',
    foundBy: ['and none that still says a little'],
    saying: /bytes (?:arrived|written), then/,
  },
  {
    ...always,
    name: 'loses what the client says before another server serves it',
    find: "if (end.state === 'unanswered') client.pause();",
    replace: "if (end.state === 'unanswered') client.resume();",
    foundBy: ['leaves the client to another server'],
    saying: /wrong byte at offset 0: its own bytes of offset 300000, some are lost/,
  },
  {
    ...always,
    name: 'never doubts a server',
    find: 'this.#doubt?.asked();',
    replace: '',
    foundBy: ['breaks with a suspect server'],
    saying: /the relay did not end/,
  },
  {
    ...always,
    reading: 'streams',
    name: 'hears no answer of a server that it doubts',
    find: 'this.#doubt?.answered();',
    replace: '',
    foundBy: ['keeps a suspect server'],
    saying: /then|in place of an end|ended/,
  },
];

const scenarios: readonly Scenario[] = [...carriage, ...ends, ...crowd];

function scenarioOf(part: string): Scenario {
  const found = scenarios.find(({ name }) => name.includes(part));
  if (found === undefined) throw new Error(`no scenario says ${JSON.stringify(part)}`);
  return found;
}

const folder = mkdtempSync(join(tmpdir(), 'exact-'));
let stage: Stage;
beforeAll(async () => {
  stage = await stageIn(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the scenario says of the copy; null: nothing. */
async function verdictOf({ tested }: Copy, scenario: Scenario, reading: Reading): Promise<string | null> {
  const poisons = scenario.unpoisoned !== true;
  const rig = new Rig({ stage, reading, tested, poisons, patienceMs: 2_500 });
  try {
    await scenario.run(rig);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rig.close();
  }
}

describe('the byte-exact check', () => {
  it.each(faults)('finds a relay that $name', async ({ foundBy, saying, reading, ...broken }) => {
    const copy = await brokenCopy(broken);
    try {
      for (const part of foundBy) expect(await verdictOf(copy, scenarioOf(part), reading)).toMatch(saying);
    } finally {
      copy.remove();
    }
  });

  it.each(['own-buffers', 'streams'] as const)(
    'finds nothing in a copy that is whole, by its %s',
    async (reading) => {
      const copy = await brokenCopy(null);
      try {
        for (const part of ['every size', 'right behind data', 'when aborted', 'pending for some'])
          expect(await verdictOf(copy, scenarioOf(part), reading)).toBeNull();
      } finally {
        copy.remove();
      }
    },
  );

  it('says where a line that is to be broken is not there', async () => {
    const broken = { file: 'relay.ts', find: 'no such line', replace: '' };
    await expect(brokenCopy(broken)).rejects.toThrow('0 times, not once');
  });
});
