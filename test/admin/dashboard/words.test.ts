import { describe, expect, it } from 'vitest';
import { choicesFor, type Scene } from '../../../src/admin/dashboard/words/choices.ts';
import { commandLine } from '../../../src/admin/dashboard/words/cli.ts';
import { concernsOf } from '../../../src/admin/dashboard/words/concerns.ts';
import { namesKey, readTyped } from '../../../src/admin/dashboard/words/fingerprint.ts';
import {
  agoText,
  bytesText,
  dateText,
  groupsOf,
  lifetimeOf,
  spanText,
} from '../../../src/admin/dashboard/words/format.ts';
import { cutAtKeys, withoutKeys } from '../../../src/admin/dashboard/words/masked.ts';
import { pathOf } from '../../../src/admin/dashboard/words/path.ts';
import { addressOf, codeOf, viewOf, type View } from '../../../src/admin/dashboard/words/route.ts';
import { byUrgency, matchesFilter, matchesWords } from '../../../src/admin/dashboard/words/search.ts';
import { signOf, states, verdicts } from '../../../src/admin/dashboard/words/signs.ts';
import { byKind } from '../../../src/admin/dashboard/words/tally.ts';
import { piecesOf } from '../../../src/admin/dashboard/words/visible.ts';
import { parseCommand } from '../../../src/admin/command-schema.ts';
import { parseFingerprint } from '../../../src/trust/fingerprint.ts';
import { explainKey } from '../../../src/trust/explain.ts';
import { factSources } from '../../../src/trust/deliberation.ts';
import { changedSituation, pageWorld, sha256Named, spkiNamed } from '../../lab/page-world.ts';

const now = Date.parse('2026-11-23T14:05:00Z');
const world = pageWorld({ endpoints: 9, history: 20, now });

it('leads every view to its address and back', () => {
  const views: readonly View[] = [
    { view: 'overview' },
    { view: 'endpoints' },
    { view: 'endpoint', endpoint: '[2001:db8::1]:993' },
    { view: 'decision', reference: 'K7Q2M9XC' },
    { view: 'history' },
  ];
  for (const view of views) expect(viewOf(addressOf(view))).toEqual(view);
});

it.each(['', '#', '#/nothing', '#/endpoints/%zz', '#/sessions/x', '#code=abc', '#/endpoints/a/b'])(
  'shows the overview for the address "%s"',
  (hash) => {
    expect(viewOf(hash)).toEqual({ view: 'overview' });
  },
);

it('finds a one-time code only where the whole fragment is one', () => {
  expect(codeOf('#code=AbC-_~.12345')).toBe('AbC-_~.12345');
  for (const hash of ['#/overview', '#code=', '#code=short', '#x&code=abcdefghij', '#code=abcdefgh<script>'])
    expect(codeOf(hash)).toBeNull();
});

const spki = spkiNamed('a key');
const sha256 = sha256Named('a key');
const typings = [
  spki,
  ` ${spki}\n`,
  spki.replace('=', ''),
  spki.replace('sha256', 'SHA256'),
  sha256,
  sha256.toLowerCase(),
  sha256.replaceAll(':', ''),
  sha256.replaceAll(':', ' '),
  sha256.replaceAll(':', '-'),
  `SHA256 Fingerprint=${sha256}`,
  `sha256:${sha256.replaceAll(':', '')}`,
  '',
  'K7Q2M9XC',
  spki.slice(0, -4),
  sha256.slice(0, -3),
  `${sha256}:00`,
  'AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01',
  'hello',
  spki.replace(/.=$/, 'B='),
  `${sha256.slice(0, 20)} ${sha256.slice(20)}`,
];

it.each(typings)('reads the fingerprint "%s" exactly as the daemon does', (text) => {
  const typed = readTyped(text);
  const read = parseFingerprint(text);
  expect(typed.kind === 'spki' || typed.kind === 'either' ? typed.kind : null).toBe(read?.kind ?? null);
  if (typed.kind === 'wrong') expect(typed.problem).toMatch(/fingerprint|sha256\/\//);
});

it('says how many digits are there where some are missing', () => {
  expect(readTyped('AB:CD')).toMatchObject({ problem: expect.stringContaining('4 hexadecimal digits') });
  expect(readTyped('K7Q2M9XC')).toMatchObject({ problem: expect.stringContaining('reference') });
});

it('compares what was typed with key and certificate, and a key only with the key', () => {
  const shown = { spki, sha256 };
  expect(namesKey(readTyped(spki), shown)).toBe(true);
  expect(namesKey(readTyped(sha256.toLowerCase()), shown)).toBe(true);
  const hexOfKey = Buffer.from(spki.slice(8), 'base64').toString('hex');
  expect(namesKey(readTyped(hexOfKey), shown)).toBe(true);
  expect(namesKey(readTyped(spkiNamed('another')), shown)).toBe(false);
  expect(namesKey(readTyped(sha256Named('another')), shown)).toBe(false);
  expect(namesKey(readTyped(sha256), { spki, sha256: null })).toBe(false);
  expect(namesKey(readTyped(''), shown)).toBe(false);
  const asKey = `sha256//${Buffer.from(sha256.replaceAll(':', ''), 'hex').toString('base64')}`;
  expect(namesKey(readTyped(asKey), shown)).toBe(false);
});

const scene: Scene = {
  policy: 'tofu',
  caValid: false,
  byCa: false,
  hasOthers: true,
  hasEnded: false,
  hasConfigPins: false,
};
const idsOf = (changes: Partial<Scene>): readonly string[] =>
  choicesFor({ ...scene, ...changes }).map(({ id }) => id);

it('proposes to replace the old key, and the CA first where it vouches', () => {
  expect(idsOf({})).toEqual(['replace', 'end-old', 'keep', 'for-7', 'for-1']);
  expect(idsOf({ hasOthers: false })).toEqual(['pin', 'for-7', 'for-1']);
  expect(idsOf({ policy: 'auto', caValid: true })[0]).toBe('ca');
  expect(idsOf({ policy: 'auto', caValid: true, hasConfigPins: true })).not.toContain('ca');
  expect(idsOf({ policy: 'tofu', caValid: true })).not.toContain('ca');
  expect(idsOf({ hasEnded: true })[0]).toBe('keep');
  expect(idsOf({ policy: 'auto', byCa: true })).toEqual(['for-7', 'for-1', 'pin-instead']);
});

const replacing = (changes: Partial<Scene>): unknown =>
  choicesFor({ ...scene, ...changes }).find(({ id }) => id === 'replace')?.flags.as;

it('says what decides where the daemon would ask back', () => {
  expect(replacing({})).toBeNull();
  expect(replacing({ policy: 'auto', caValid: true })).toBe('pin');
  expect(replacing({ hasEnded: true })).toBe('pin');
});

const everyScene = [true, false].flatMap((caValid) =>
  [true, false].flatMap((byCa) =>
    ['auto', 'ca', 'tofu', null].flatMap((policy) =>
      [true, false].map((hasOthers) => ({ ...scene, caValid, byCa, policy, hasOthers })),
    ),
  ),
);

it('makes commands that the daemon takes, whatever is chosen', () => {
  for (const { flags } of everyScene.flatMap(choicesFor)) {
    const command = {
      command: 'approve',
      endpoint: 'imap.example.org:993',
      expect: spki,
      ...flags,
      unreject: false,
    } as const;
    expect(parseCommand(command)).toEqual(command);
    expect(commandLine(command)).toMatch(/^letterlock pins approve imap\.example\.org:993 --expect sha256/);
  }
});

it('writes the command line of each order', () => {
  const endpoint = 'imap.example.org:993';
  const flags = { as: null, keep: false, endOld: false, unreject: false } as const;
  expect(commandLine({ command: 'approve', endpoint, expect: '', forMs: 86_400_000, ...flags })).toBe(
    'letterlock pins approve imap.example.org:993 --expect FINGERPRINT --for 1d',
  );
  expect(
    commandLine({ command: 'approve', endpoint, expect: 'AB CD', forMs: null, ...flags, endOld: true }),
  ).toBe("letterlock pins approve imap.example.org:993 --expect 'AB CD' --end-old");
  expect(commandLine({ command: 'add', endpoint, pin: spki, forMs: 43_200_000, unreject: true })).toBe(
    `letterlock pins add imap.example.org:993 ${spki} --for 12h --unreject`,
  );
  expect(commandLine({ command: 'forget', endpoint: '[::1]:993', expect: null, yes: true })).toBe(
    "letterlock pins forget '[::1]:993' --yes",
  );
  expect(commandLine({ command: 'undo', endpoint: "a'b; rm -rf ~" })).toBe(
    "letterlock pins undo 'a'\\''b; rm -rf ~'",
  );
});

it('takes keys out of proposed commands, however they are written', () => {
  const line = `Only when you have compared it: letterlock pins approve a:1 --expect ${spki} --unreject`;
  expect(withoutKeys(line)).toBe(
    'Only when you have compared it: letterlock pins approve a:1 --expect FINGERPRINT --unreject',
  );
  const print = sha256Named('x');
  for (const written of [
    print,
    print.toLowerCase(),
    print.replaceAll(':', ''),
    print.replaceAll(':', ' '),
    spki.slice(0, -1),
  ])
    expect(withoutKeys(`its key is ${written}.`)).toBe('its key is FINGERPRINT.');
});

it('finds the fingerprints in a text, and loses nothing of it', () => {
  const text = `O=${spki}, CN=${sha256Named('x')}!`;
  expect(
    cutAtKeys(text)
      .filter(({ isKey }) => isKey)
      .map((key) => key.text),
  ).toEqual([spki, sha256Named('x')]);
  expect(
    cutAtKeys(text)
      .map((one) => one.text)
      .join(''),
  ).toBe(text);
  expect(cutAtKeys('imap.example.org')).toEqual([{ text: 'imap.example.org', isKey: false }]);
});

it('never shows a pinned server with the word, icon or tone of a verified one', () => {
  const [pin, ca] = [states.pinned, states.ca];
  for (const fact of ['word', 'icon', 'tone'] as const) {
    expect(pin[fact]).not.toBe(ca[fact]);
    expect(verdicts.pin[fact]).not.toBe(verdicts.ca[fact]);
    expect(verdicts['first-use'][fact]).not.toBe(verdicts.ca[fact]);
  }
});

it('tells all states apart by word and by icon', () => {
  const signs = [...Object.values(states), verdicts.dane, verdicts['first-use'], verdicts.refused];
  expect(new Set(signs.map(({ word }) => word)).size).toBe(signs.length);
  expect(new Set(signs.map(({ icon }) => icon)).size).toBe(signs.length);
});

it('shows what a server does now before what is remembered of it', () => {
  const [row] = world.endpoints;
  if (row === undefined) throw new Error('no rows');
  expect(signOf(row).word).toBe('refused');
  expect(signOf({ ...row, refusing: false, lastVerdict: null }).word).toBe('pinned');
  expect(signOf({ ...row, state: 'conflict' }).word).toBe('conflict');
});

it('names what needs a person, decisions before certificates', () => {
  const concerns = concernsOf(world, now);
  expect(concerns.map(({ action }) => action)).toEqual(['Compare and decide', 'Certificate']);
  expect(concernsOf({ status: null, endpoints: [] }, now)).toEqual([]);
  const broken = pageWorld({ endpoints: 9, history: 0, now, store: 'damaged' });
  expect(concernsOf(broken, now)[0]?.title).toBe('The pin store is damaged');
});

it('counts every server once', () => {
  expect(byKind(world.endpoints).reduce((sum, { count }) => sum + count, 0)).toBe(world.endpoints.length);
});

it('finds rows by all of their words, and sorts the urgent ones up', () => {
  expect(matchesWords('imap.example.org pinned', 'PINNED imap')).toBe(true);
  expect(matchesWords('imap.example.org pinned', 'pinned smtp')).toBe(false);
  expect(world.endpoints.toSorted(byUrgency)[0]?.candidates).toBe(1);
  expect(world.endpoints.filter((row) => matchesFilter(row, 'deciding'))).toHaveLength(1);
  expect(world.endpoints.filter((row) => matchesFilter(row, 'all'))).toHaveLength(9);
});

it('cuts text from the wire so that nothing in it is drawn as nothing', () => {
  expect(piecesOf('plain')).toEqual([{ text: 'plain', odd: false }]);
  expect(piecesOf('O=\u202eevil\u200b')).toEqual([
    { text: 'O=', odd: false },
    { text: '\\u202e', odd: true },
    { text: 'evil', odd: false },
    { text: '\\u200b', odd: true },
  ]);
  expect(piecesOf('')).toEqual([]);
});

it('writes dates, spans and sizes for people', () => {
  expect(dateText('2026-11-23T14:05:09Z')).toBe('2026-11-23 14:05 UTC');
  expect(dateText('never')).toBe('never');
  expect(agoText('2026-11-23T14:04:58Z', now)).toBe('just now');
  expect(agoText('2026-11-23T13:00:00Z', now)).toBe('65 minutes ago');
  expect(agoText('2026-11-26T14:05:00Z', now)).toBe('in 3 days');
  expect(spanText(90 * 86_400_000)).toBe('3 months');
  expect([0, 999, 1000, 123_456, 2.5e9].map(bytesText)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '123 kB',
    '2.5 GB',
  ]);
  expect(groupsOf(spki).join('')).toBe(spki);
  expect(groupsOf(sha256).join('')).toBe(sha256);
});

it('warns of the end of a certificate in time for its kind', () => {
  const life = (before: number, after: number): unknown =>
    lifetimeOf(
      {
        notBefore: new Date(now - before * 86_400_000).toISOString(),
        notAfter: new Date(now + after * 86_400_000).toISOString(),
      },
      now,
    )?.phase;
  expect(life(60, 30)).toBe('good');
  expect(life(80, 10)).toBe('ending');
  expect(life(3, 3)).toBe('good');
  expect(life(5, 1)).toBe('ending');
  expect(life(90, -1)).toBe('over');
  expect(life(-1, 90)).toBe('not-yet');
  expect(lifetimeOf({ notBefore: null, notAfter: null }, now)).toBeNull();
});

describe('the path of a decision', () => {
  const { decision } = explainKey(
    world.comparison.ref,
    world.comparison.presented.spki,
    changedSituation(world.comparison),
  );

  it('tells the questions of the judge in its order, and marks by word and icon the one that decided', () => {
    const { steps, outcome, reason, why } = pathOf(decision ?? expect.fail('no decision'));
    expect(steps.map(({ rule }) => rule)).toEqual(decision?.steps.map(({ rule }) => rule));
    expect(steps.filter(({ mark }) => mark !== null)).toEqual([
      {
        rule: 'hand-over',
        asks: 'Does a pinned key hand over to this one?',
        found: 'no',
        source: 'from the certificate',
        mark: expect.objectContaining({ word: 'this decided', icon: 'arrow' }),
      },
    ]);
    expect(steps).toContainEqual(
      expect.objectContaining({
        asks: 'Which policy decides?',
        found: 'trust: tofu',
        source: 'from the configuration',
      }),
    );
    expect(outcome).toBe(verdicts.refused);
    expect([reason, why]).toEqual(['pin-mismatch', 'Another key is pinned for this endpoint.']);
  });

  it('ends in the sign of what the key was accepted by', () => {
    const situation = changedSituation(world.comparison);
    const { decision: pinned } = explainKey('x', world.comparison.known?.spki ?? '', situation);
    expect(pathOf(pinned ?? expect.fail('no decision'))).toMatchObject({
      outcome: verdicts.pin,
      reason: null,
    });
  });

  it('has words for every source of an answer', () => {
    if (decision === null) return expect.fail('no decision');
    const [step] = decision.steps;
    for (const from of factSources) {
      const told = pathOf({ ...decision, steps: step === undefined ? [] : [{ ...step, from }] });
      expect(told.steps[0]?.source).toMatch(/^(from|seen) /);
    }
  });
});
