// Servers whose key the DNS is to name (`trust: dane`, and `auto` with `dane: prefer`), behind a resolver that is right, lies,
// stays silent or is spoken for by somebody else (resolver.mjs). Only what is proven counts: an answer that is not, that
// answers another question, or that does not come is no better than none, and a proven contradiction is never explained away.

import { goodSteps, pairs, script } from './script.mjs';

const dane = { trust: 'dane' };
const alwaysPlayed = 3;
/** Of them the server's own key is named: whoever believes the answer serves it. */
const unproven = [
  'not proven',
  'not proven, over TCP',
  'signatures that do not verify',
  'SERVFAIL',
  'REFUSED with a record',
  'a code beyond fifteen',
  'no record',
  'no name',
  'a record for another port',
  'a record for another name',
  'a record of another class',
  'usage 0 and 1',
  'usage 255',
  'a digest that nobody knows',
  'half a digest',
  'no data at all',
  'two octets',
  'seventy records',
  'an answer of 40 000 octets',
  'cut short, over TCP too',
  'more than was asked, over TCP',
  'garbage, over TCP',
  'an end, over TCP',
  'aliases in a circle',
  'an alias that is not proven',
  'an alias of escape sequences',
].map((answer, index) => ({
  kind: 'DANE: no proof',
  answer,
  route: dane,
  ends: 'dane-unproven',
  // In the short form one of three, but for the first ones.
  group: index < alwaysPlayed ? null : `DANE: no proof: ${Math.floor(index / 3)}`,
}));

const silent = ['garbage only', 'another id only', 'nothing', 'nothing, over TCP'].map((answer) => ({
  kind: 'DANE: no answer',
  answer,
  route: dane,
  ends: 'dane-unproven',
  waits: ['resolver'],
  group: 'DANE: no answer',
}));

/** Somebody says that the key is his, and the resolver says whose it is. */
const forged = [
  'another id first',
  'another question first',
  'a question as an answer first',
  'from elsewhere first',
  'a hundred guesses first',
].map((answer) => ({ kind: 'DANE: forged answer', answer, route: dane, ends: 'dane-mismatch' }));

const contradicted = [
  { name: 'another key, self-signed', of: 'good' },
  { name: 'another key, of a trusted CA', of: 'good', identity: 'other' },
  { answer: 'a weak digest beside a strong one' },
  { answer: 'the key itself, as one above' },
  {
    name: 'a CA above that is not sent',
    answer: 'the key above',
    identity: 'foreign',
    of: 'foreignWithRoot',
  },
].map((row) => ({ answer: 'right', kind: 'DANE: mismatch', route: dane, ends: 'dane-mismatch', ...row }));

const proven = [
  'right',
  'right, over TCP',
  'right, after a second',
  'right, behind garbage',
  'right, by an alias',
  'the key above',
].map((answer) => ({
  kind: 'DANE: harmless',
  answer,
  identity: answer === 'the key above' ? 'foreignWithRoot' : 'stranger',
  route: dane,
  ends: 'accept',
}));

const held = { firstUse: 'hold', dane: 'prefer' };
const preferred = [
  { name: 'a CA-valid key that is not the one named', of: 'other', identity: 'good', ends: 'dane-mismatch' },
  { name: 'an answer that is not proven', answer: 'not proven', ends: 'first-use-held' },
  { name: 'signatures that do not verify', answer: 'signatures that do not verify', ends: 'first-use-held' },
  { name: 'an answer for somebody else', answer: 'a record for another name', ends: 'first-use-held' },
  {
    name: 'nothing, and a CA-valid key',
    answer: 'nothing',
    identity: 'good',
    ends: 'accept',
    waits: ['resolver'],
  },
  { name: 'a proven key that nobody signed', ends: 'accept' },
  {
    name: 'a proven key that is not the pinned one',
    route: { ...held, pins: ['other'] },
    ends: 'pin-mismatch',
    after: 'none',
  },
  { name: 'a proven key after a CA', dnsBefore: 'no record', ends: 'ca-lost', learns: true },
  {
    name: 'once known by DANE alone, then not proven',
    answer: 'not proven',
    learnsFrom: 'stranger',
    ends: 'dane-unproven',
    learns: true,
    after: 'none',
  },
].map((row) => ({ kind: 'DANE: preferred', answer: 'right', route: held, ...row }));

const rows = [...unproven, ...silent, ...forged, ...contradicted, ...proven, ...preferred];

export const daneScripts = rows.flatMap(
  ({ answer, name = answer, identity = 'stranger', of = identity, ...row }) =>
    pairs.map((pair) =>
      script({
        ...row,
        ...pair,
        name,
        dns: { answer, of },
        needs: 'route',
        steps: goodSteps(pair.protocol, pair.mode, { identity }),
      }),
    ),
);
