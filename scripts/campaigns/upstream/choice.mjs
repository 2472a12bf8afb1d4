// Which scripts a run plays. The short form plays each attack once, on a protocol and mode drawn by the seed where it does
// not depend on them, and the ones below on all; the long form plays all of them, and those of the dialogue in clear in
// every pace and from both kinds of client.

import { numbersFrom } from '../lab/numbers.mjs';
import { certificateScripts } from './certificates.mjs';
import { daneScripts } from './dane.mjs';
import { floodScripts } from './floods.mjs';
import { handshakeScripts } from './handshakes.mjs';
import { imapScripts } from './imap.mjs';
import { injectionScripts } from './injections.mjs';
import { insideScripts } from './inside.mjs';
import { pop3Scripts } from './pop3.mjs';
import { sieveScripts } from './sieve.mjs';
import { lmtpScripts, smtpScripts } from './smtp.mjs';
import { truncationScripts } from './truncations.mjs';
import { warmScripts } from './warm.mjs';
import { wayScripts } from './ways.mjs';

const dialogues = [
  imapScripts,
  pop3Scripts,
  smtpScripts,
  lmtpScripts,
  sieveScripts,
  injectionScripts,
  truncationScripts,
].flat();
const others = [
  insideScripts,
  floodScripts,
  handshakeScripts,
  certificateScripts,
  wayScripts,
  daneScripts,
  warmScripts,
].flat();
const all = [...dialogues, ...others];

/** Attacks that a proxy may withstand in one protocol and not in another. */
const everywhere = new Set([
  'Opossum',
  'C5 injection',
  'C12 greeting',
  'C1 stripping',
  'C9 preauth',
  'endless line',
]);
const paces = ['whole', 'bytes', 'crlf', 'slow'];
const clients = ['polite', 'hasty'];

const titleOf = ({ kind, protocol, mode, name, pace, client }) =>
  `${kind}: ${protocol} ${mode}: ${name} (${pace}, ${client})`;

/** What is cut into segments may come later than the handshake began. */
function paced(script, pace) {
  const injected = script.ends.includes('injected-bytes') && pace !== 'whole';
  return { ...script, pace, ends: injected ? [...new Set([...script.ends, 'tls-failed'])] : script.ends };
}

const saidBytes = ({ steps }) => steps.reduce((sum, { say = '' }) => sum + say.length, 0);
/** Whether it may be cut so: floods and drips have a pace of their own, and long texts would take all the time there is. */
function canBe(script, pace) {
  if (pace === 'whole') return true;
  const own = script.steps.some(
    (step) => 'flood' in step || 'drip' in step || 'wait' in step || 'cut' in step,
  );
  return !own && saidBytes(script) < 3000;
}

const titled = (scripts) => scripts.map((script) => ({ ...script, title: titleOf(script) }));

/** For the short form. */
function once(seed) {
  const random = numbersFrom(seed);
  const groups = groupsOf(all);
  const dialogue = new Set(dialogues);
  const chosen = [...groups.values()].flatMap((group) =>
    everywhere.has(group[0].kind) ? group : [group[Math.floor(random() * group.length)]],
  );
  return titled(
    chosen.map((script) => {
      const possible = dialogue.has(script) ? paces.filter((pace) => canBe(script, pace)) : ['whole'];
      const made = paced(script, possible[Math.floor(random() * possible.length)]);
      return script.client === 'polite' && random() < 0.5 ? { ...made, client: 'hasty' } : made;
    }),
  );
}

const groupOf = ({ kind, name, group }) => group ?? `${kind}: ${name}`;
function groupsOf(scripts) {
  const groups = new Map();
  for (const script of scripts) groups.set(groupOf(script), [...(groups.get(groupOf(script)) ?? []), script]);
  return groups;
}

const asClients = (script) =>
  (script.client === 'polite' ? clients : [script.client]).map((client) => ({ ...script, client }));

/** For the long form. */
function everything() {
  return titled([
    ...dialogues.flatMap((script) =>
      paces.filter((pace) => canBe(script, pace)).flatMap((pace) => asClients(paced(script, pace))),
    ),
    ...others.flatMap(asClients),
  ]);
}

/** In an order drawn by the seed, those that take long first. */
export function chooseScripts(form, seed) {
  const random = numbersFrom(seed ^ 0x5bd1e995);
  const scripts = form === 'short' ? once(seed) : everything();
  return scripts
    .map((script) => ({
      script,
      slow: script.waits.length + (/sieveProof|resolver/.test(script.waits.join(' ')) ? 9 : 0),
      place: random(),
    }))
    .toSorted((one, other) => other.slow - one.slow || one.place - other.place)
    .map(({ script }) => script);
}
