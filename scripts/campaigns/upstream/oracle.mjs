// What letterlock owes to each script, held against what was seen: the password went nowhere, nothing of the server's came
// through, the refusal is the right one in the client's own words and in time, the server was told nothing but the prologue
// and was let go, the counters rose by what happened and by nothing else. Every sentence it returns is a finding.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hostOf } from './letterlock.mjs';
import { holds, look } from './sight.mjs';

/** The sentences, causes and greetings of the build that is tried. */
export async function readBuild(build) {
  const load = (file) => import(pathToFileURL(join(build, 'src', file)).href);
  const [{ refusals, failures }, { localGreeting }] = await Promise.all([
    load('codes.js'),
    load('mail/local-greeting.js'),
  ]);
  const causes = Object.entries({ ...refusals, ...failures }).map(([code, { cause }]) => [cause, code]);
  return { codes: new Map(causes), refusals: new Set(Object.keys(refusals)), localGreeting };
}

/** Begins a finding that is asked for again alone: the machine may have been busy. */
export const late = 'late:';

/** In which words a client is told, line by line; `{s}` is the sentence. */
const wordings = {
  imap: [
    /^\* BYE (?:\[ALERT\] )?{s}$/,
    /^\* OK \[ALERT\] {s}$/,
    /^\S+ NO \[UNAVAILABLE\] {s}$/,
    /^\S+ OK [a-z ]+$/,
    /^\* CAPABILITY IMAP4rev1$/,
  ],
  pop3: [
    /^\+OK letterlock ready$/,
    /^-ERR \[SYS\/(?:TEMP|PERM)\] {s}$/,
    /^\+OK (?:goodbye|these are all)$/,
    /^USER$/,
    /^\.$/,
  ],
  smtp: [/^(?:421 4\.[47]\.[01]|554 5\.7\.0) {s}$/, /^221 2\.0\.0 goodbye$/],
  sieve: [
    /^"(?:IMPLEMENTATION|SASL|SIEVE|VERSION)" "[\w.-]*"$/,
    /^OK "(?:letterlock ready|goodbye)"$/,
    /^NO "{s}"$/,
  ],
};
wordings.lmtp = wordings.smtp;
const sentence =
  /letterlock (?:refused|could not reach) (?<host>\S+): (?<cause>[^.]+)\. Nothing was sent(?: \(#[\w-]+\))?\. Run: letterlock explain (?<explain>[\w-]+)/;
const lineForms = Object.fromEntries(
  Object.entries(wordings).map(([protocol, forms]) => [
    protocol,
    forms.map(
      ({ source }) => new RegExp(source.replace('{s}', sentence.source.replaceAll(/\?<\w+>/g, '?:'))),
    ),
  ]),
);

/** What the proxy may say in clear, whole or as far as it came. */
const prologues = {
  imap: 'z1 CAPABILITY\r\nz2 STARTTLS\r\n',
  pop3: 'CAPA\r\nSTLS\r\n',
  smtp: 'EHLO [127.0.0.1]\r\nSTARTTLS\r\n',
  lmtp: 'LHLO [127.0.0.1]\r\nSTARTTLS\r\n',
  sieve: 'STARTTLS\r\n',
};

/** A server is let go when the refusal is said; so much later at the latest. */
const letGoMs = 1000;

const isHandshake = (bytes) => bytes.length === 0 || bytes[0] === 0x16;

/** All findings of a stage, as far as they can be seen without counters; `codeOf` is what its clients were told. */
export function judgeVisits(stage, read) {
  const { script, visits, talks } = stage;
  const codes = visits.map((one) => codeOf(one, read));
  const accepted = script.ends.includes('accept');
  const found = [];
  const { leaked, hung } = look(stage);
  const heard = Buffer.concat(visits.map((one) => one.heard));
  if (leaked) found.push('the password reached a server that was not verified');
  if (holds(heard, [stage.marks.clear])) found.push('what the server said in clear reached the client');
  if (hung) found.push(`the client heard nothing within ${Math.round(stage.boundMs)} ms and 10 s more`);
  if (!accepted && holds(heard, [stage.marks.inside]))
    found.push('what a refused server said inside TLS reached the client');
  if (!accepted && talks.some(({ inside }) => inside.length > 0))
    found.push('something was said to a refused server inside TLS');
  if (!script.route.via && !talks.every((talk) => isPrologue(talk.clear, script)))
    found.push(`more than the prologue was said in clear: ${quoted(talks)}`);
  for (const [index, one] of visits.entries())
    found.push(...judgeVisit(one, { stage, read, code: codes[index] }));
  // What is remembered of a refusal is remembered for two seconds, which a busy machine may let pass.
  const { dials, retried, again } = script;
  // Of a crowd the later ones may be answered from memory.
  const most = retried ? 3 : dials;
  const least = script.crowd > 1 || retried ? 0 : dials;
  if (talks.length < least || talks.length > most)
    found.push(`${again > 0 ? `${late} ` : ''}${talks.length} connections were made in place of ${dials}`);
  if (talks.some(({ goneAt }) => goneAt === null || goneAt > stage.playedAt + letGoMs))
    found.push('the connection to the server was kept when its client had gone');
  if (script.second !== undefined && stage.secondTalks.length !== script.second)
    found.push('another server was asked after one that answered');
  if (script.crowd > 1) found.push(...judgeCrowd(stage));
  return found;
}

function isPrologue(bytes, { protocol, mode }) {
  const text = bytes.toString('latin1');
  if (mode === 'implicit') return isHandshake(bytes);
  const all = prologues[protocol];
  return text.startsWith(all) ? isHandshake(bytes.subarray(all.length)) : all.startsWith(text);
}

const quoted = (talks) => JSON.stringify(talks.map((talk) => talk.clear.toString('latin1').slice(0, 200)));

/** The code of the sentence a client heard; `closed` for none. */
export function codeOf({ heard }, { codes }) {
  const found = sentence.exec(heard.toString('latin1'));
  return found === null ? null : (codes.get(found.groups.cause) ?? 'unknown');
}

export function judgeVisit(one, { stage, read, code }) {
  const { script, boundMs, name } = stage;
  const found = [];
  if (code === null)
    return script.ends.includes('accept')
      ? judgeServed(one, { stage, read })
      : [
          `no refusal was heard, but: ${one.end} ${JSON.stringify(one.heard.toString('latin1').slice(0, 200))}`,
        ];
  if (!script.ends.includes(code))
    found.push(`${code === 'timeout' ? `${late} ` : ''}told ${code}, not ${script.ends.join(' or ')}`);
  if (one.ms > boundMs)
    found.push(`${late} told after ${Math.round(one.ms)} ms, ${Math.round(boundMs)} at most`);
  const odd = one.heard
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '' && !lineForms[script.protocol].some((form) => form.test(line)));
  if (odd.length > 0) found.push(`the client heard besides the refusal: ${JSON.stringify(odd.slice(0, 3))}`);
  const { host } = sentence.exec(one.heard.toString('latin1')).groups;
  if (host !== hostOf(name)) found.push(`the refusal names ${host}, not ${hostOf(name)}`);
  return found;
}

/** What a client that is served hears is what the server said inside TLS, behind our greeting where there is one; and the other way. */
function judgeServed(one, { stage: { script, talks, boundMs }, read }) {
  const found = [];
  if (one.ms > boundMs + 1500 && script.client !== 'stalled')
    found.push(`${late} served after ${Math.round(one.ms)} ms`);
  if (script.crowd > 1) return found;
  const [talk] = talks;
  if (talk === undefined) return ['served, but by whom?'];
  const greeting =
    script.mode === 'starttls' ? Buffer.from(read.localGreeting(script.protocol)) : Buffer.alloc(0);
  const said = Buffer.concat([greeting, ...talk.saidInside]);
  if (script.filtered !== true && !said.subarray(0, one.heard.length).equals(one.heard))
    found.push(
      `the client heard what the server did not say inside TLS: ${JSON.stringify(one.heard.toString('latin1').slice(0, 300))}`,
    );
  if (script.filtered === true && /STARTTLS/i.test(one.heard.toString('latin1')))
    found.push('STARTTLS was offered to the client inside TLS');
  const { inside } = talk;
  if (!one.said.subarray(0, inside.length).equals(inside))
    found.push('the server was told what the client did not say');
  return found;
}

/** However many come at once, the key of one alone is learnt. */
function judgeCrowd({ talks, secret }) {
  const keys = new Set(talks.filter((talk) => holds(talk.inside, secret.forms)).map(({ shown }) => shown));
  return keys.size === 1 ? [] : [`${keys.size} keys were given the password by clients that came at once`];
}

/** Counters of a stage after it was played, less those before. */
export function judgeCounters(stage, { before, after, read }) {
  const { script, visits } = stage;
  const rose = (metric) => difference(before[metric], after[metric]);
  const ended = { ...rose('refusals_total'), ...rose('failures_total') };
  const told = tally(visits.map((one) => codeOf(one, read)).filter((code) => code !== null));
  const found = [];
  const expect = (what, got, wanted) => {
    if (JSON.stringify(sorted(got)) !== JSON.stringify(sorted(wanted)))
      found.push(`${what}: counted ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
  };
  expect('clients', rose('client_connections_total'), { [script.protocol]: visits.length });
  // A session that broke after its verdict is a failure that nobody is told of.
  const silent = script.ends.includes('accept') ? { relay: 0, client: 0, ...ended } : ended;
  const { relay: _relay, client: _client, ...spoken } = silent;
  expect('refusals and failures', script.ends.includes('accept') ? spoken : ended, told);
  if (!script.ends.includes('accept')) {
    expect('bytes relayed', rose('relayed_bytes_total'), {});
    const good = Object.keys(rose('verdicts_total')).filter((basis) => basis !== 'refused');
    // A verdict is good where it is the proof of protocol that fails afterwards.
    if (
      good.length > 0 &&
      !Object.keys(ended).every((code) => code === 'no-greeting' || code === 'not-this-protocol')
    )
      found.push(`verdicts: ${JSON.stringify(rose('verdicts_total'))}`);
  }
  return found;
}

function difference(before = {}, after = {}) {
  const rows = Object.entries(after).map(([label, value]) => [label, value - (before[label] ?? 0)]);
  return Object.fromEntries(rows.filter(([, value]) => value !== 0));
}

const sorted = (counts) => Object.entries(counts).toSorted(([one], [other]) => (one < other ? -1 : 1));

function tally(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
