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
  /** Each finds it; the first scenario of a name that has this in it. */
  readonly foundBy: readonly string[];
  /** What each of them says, or rather one of what they say. */
  readonly saying: RegExp;
}

/** In the file that both ways of reading go through. */
const relayFile = { file: 'relay.ts', reading: 'streams' } as const;
const apart = ['all speak in one turn', 'pending for some', 'anything at any time'];

const faults: readonly Fault[] = [
  {
    ...relayFile,
    name: 'goes on reading for a reader that is full',
    find: '    source.pause();\n',
    replace: '',
    foundBy: [
      'holds little for readers that read nothing, and goes on where they do, tcp',
      'holds little for readers that read nothing, and goes on where they do, tls',
    ],
    saying: /bytes were taken for a reader that reads nothing|the relay holds/,
  },
  {
    ...relayFile,
    name: 'never reads on once a reader was full',
    find: 'if (!this.#over) this.#facing(destination).resume();',
    replace: '',
    foundBy: ['that stall often', 'pieces of 1 MiB', 'goes on where they do, unix'],
    saying: /bytes (?:arrived|written)(?:.*), then nothing/,
  },
  {
    ...relayFile,
    name: 'writes each piece twice',
    find: 'if (destination.write(bytes)) return;',
    replace: 'destination.write(bytes); if (destination.write(bytes)) return;',
    foundBy: ['pieces of 1 byte, apart', 'pieces of 16 384'],
    saying: /wrong byte at offset \d+: (?:its own bytes of offset \d+, some came twice|too few)|came twice/,
  },
  {
    ...relayFile,
    name: 'writes what a buffer holds that the next piece is read into',
    find: 'if (destination.write(bytes)) return;',
    replace:
      'const shared = (globalThis.exactShared ??= Buffer.alloc(4_000_000)); shared.set(bytes); if (destination.write(shared.subarray(0, bytes.length))) return;',
    foundBy: apart,
    saying: /wrong byte at offset \d+: bytes of (?:session \d+|nowhere)/,
  },
  {
    ...relayFile,
    name: 'loses a byte upwards where a piece is long',
    find: 'this.#write(client, upstream, bytes);',
    replace: 'this.#write(client, upstream, bytes.length > 60_000 ? bytes.subarray(1) : bytes);',
    foundBy: [
      'pieces of 1 MiB',
      'every size',
      'readers that stall for long',
      'for long when the other way has ended',
    ],
    saying: /wrong byte at offset \d+: its own bytes of offset \d+, some are lost/,
  },
  {
    ...relayFile,
    name: 'shifts the last bytes of a piece of a certain length',
    find: 'if (destination.write(bytes)) return;',
    replace:
      'if (destination.write(bytes.length === 16_384 ? Buffer.concat([bytes.subarray(0, 16_382), bytes.subarray(16_383), bytes.subarray(16_382, 16_383)]) : bytes)) return;',
    foundBy: ['pieces of 16 384 bytes', 'right behind data'],
    saying: /wrong byte at offset \d+/,
  },
  {
    ...relayFile,
    name: 'loses what was read before it began',
    find: "    source.on('data', sink.take);",
    replace: "    source.read();\n    source.on('data', sink.take);",
    foundBy: [
      'begins with what lay there, tcp',
      'begins with what lay there, tls',
      'begins with what lay there, ends included',
    ],
    saying: /wrong byte at offset \d+|bytes arrived, then an end/,
  },
  {
    ...relayFile,
    name: 'passes no end on to the client',
    find: 'if (filter !== null && !filter.done) this.#toClient(filter.flush());\n    client.end();',
    replace: 'if (filter !== null && !filter.done) this.#toClient(filter.flush());',
    foundBy: ['carries up for long when the other way has ended'],
    saying: /no end arrived, then nothing|a close in place of an end/,
  },
  {
    ...relayFile,
    name: 'passes no end on to the server',
    find: '    upstream.end();\n',
    replace: '',
    foundBy: ['carries down for long when the other way has ended'],
    saying: /no end arrived, then nothing|a close in place of an end|a break/,
  },
  {
    ...relayFile,
    name: 'closes before the last bytes are out',
    find: 'socket.destroySoon();',
    replace: 'socket.destroy();',
    foundBy: [
      'pending down when both sides have ended, tcp',
      'pending up when both',
      'pending down when both sides have ended, unix',
    ],
    saying: /bytes arrived, then|in place of an end/,
  },
  {
    ...relayFile,
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
    ...relayFile,
    name: 'leaves the server’s side open at a break',
    find: '    reset(raw, upstream);\n  }',
    replace: '  }',
    foundBy: [
      'a reset behind what went up',
      'of what goes down that its reader has gone',
      'TLS of the client that breaks',
    ],
    saying: /heard nothing of the break/,
  },
  {
    ...relayFile,
    name: 'takes an error for nothing',
    find: 'this.#broken(side, detail);\n    };\n    const closed',
    replace: '};\n    const closed',
    foundBy: ['TLS that breaks right behind data'],
    saying: /an end in place of a break|heard nothing of the break|did not end|ended/,
  },
  {
    ...relayFile,
    name: 'does not hear that it is aborted',
    find: "this.#on(signal, () => this.#finish({ state: 'aborted' }));",
    replace: '',
    foundBy: ['when aborted in mid-flight'],
    saying: /the relay did not end/,
  },
  {
    ...relayFile,
    name: 'does not hear that its own socket was closed',
    find: "socket.on('close', closed);",
    replace: '',
    foundBy: ['its own socket is destroyed'],
    saying: /the relay did not end/,
  },
  {
    ...relayFile,
    name: 'counts a byte too much',
    find: "this.#options.counted('down', bytes.length);",
    replace: "this.#options.counted('down', bytes.length + 1);",
    foundBy: ['pieces of 7 bytes', 'lets a filter cut'],
    saying: /bytes counted of \d+ delivered/,
  },
  {
    ...relayFile,
    name: 'counts nothing upwards',
    find: "this.#options.counted('up', bytes.length);",
    replace: '',
    foundBy: ['pieces of 1400 bytes, apart', 'gives back'],
    saying: /0 bytes counted of \d+ delivered|arrived, 0 counted/,
  },
  {
    ...relayFile,
    name: 'loses what the filter still holds',
    find: 'this.#toClient(filter.flush());',
    replace: '{}',
    foundBy: ['what a filter holds when the server ends'],
    saying: /99995 of 100000 bytes arrived, then an end/,
  },
  {
    ...relayFile,
    name: 'goes past the filter',
    find: 'filter === null || filter.done ? chunk : filter.downstream(chunk)',
    replace: 'chunk',
    foundBy: ['lets a filter cut', 'the login filter followed'],
    saying: /wrong byte at offset \d+|in place of/,
  },
  {
    ...relayFile,
    name: 'loses what the filter lets go in the piece in which it is done',
    find: 'filter === null || filter.done ? chunk : filter.downstream(chunk)',
    replace:
      'filter === null || filter.done ? chunk : (filter.downstream(chunk), filter.done ? chunk : chunk.subarray(0, 0))',
    foundBy: ['lets a filter cut'],
    saying: /wrong byte at offset \d+/,
  },
  {
    ...relayFile,
    name: 'loses the first bytes that it held',
    find: 'return this.#held === null ? held : null;',
    replace: 'return this.#held === null ? chunk : null;',
    foundBy: ['holds the first bytes back'],
    saying: /wrong byte at offset 0: its own bytes of offset \d+/,
  },
  {
    ...relayFile,
    name: 'is not kept from ending by what the server says',
    find: '    this.#asked = null;\n    this.#touch();',
    replace: '    this.#asked = null;',
    foundBy: ['and none that still says a little'],
    saying: /bytes (?:arrived|written), then/,
  },
  {
    ...relayFile,
    name: 'waits for ever for a reader',
    find: 'this.#stalled.set(destination, new Deadline(stuck).start(this.#options.drainMs));',
    replace: 'this.#stalled.set(destination, new Deadline(stuck));',
    foundBy: ['takes nothing for too long'],
    saying: /the relay did not end/,
  },
  {
    ...relayFile,
    name: 'gives up a reader that took something meanwhile',
    find: 'this.#stalled.get(destination)?.stop();',
    replace: '',
    foundBy: ['for longer than it may take nothing'],
    saying: /not drained|the relay broken|then a/,
  },
  {
    ...relayFile,
    name: 'keeps what it wrote',
    find: 'if (destination.write(bytes)) return;',
    replace: '(globalThis.exactKept ??= []).push(bytes); if (destination.write(bytes)) return;',
    foundBy: ['gives back'],
    saying: /sessions that are over hold \d+ bytes/,
  },
  {
    ...relayFile,
    name: 'loses what the client says before another server serves it',
    find: "if (end.state === 'unanswered') client.pause();",
    replace: "if (end.state === 'unanswered') client.resume();",
    foundBy: ['leaves the client to another server'],
    saying: /wrong byte at offset 0: its own bytes of offset 300000, some are lost/,
  },
  {
    ...relayFile,
    name: 'never doubts a server',
    find: 'this.#doubt?.asked();',
    replace: '',
    foundBy: ['breaks with a suspect server'],
    saying: /the relay did not end/,
  },
  {
    ...relayFile,
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
async function verdictOf({ relayed }: Copy, scenario: Scenario, reading: Reading): Promise<string | null> {
  const rig = new Rig({ stage, reading, relayed, patienceMs: 2_500 });
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
        for (const part of ['every size', 'right behind data', 'when aborted', ...apart])
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
