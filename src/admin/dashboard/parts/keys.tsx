// Which keys of an endpoint count, which did, which are rejected, which are expected.

import type { ComponentChildren, VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import type { PinRow, PinsRow } from '../wire.ts';
import { dateText } from '../words/format.ts';
import type { Sign } from '../words/signs.ts';
import { Section } from './page.tsx';
import { RejectButton } from './reject-button.tsx';
import { Badge, Empty, Fingerprint, When, Wire } from './words.tsx';

interface KeysProps {
  readonly pins: PinsRow;
  readonly onChanged: () => void;
}

export function Keys({ pins, onChanged }: KeysProps): VNode {
  const { lastCa, rejected, expected } = pins;
  const { now } = useDesk();
  const nothing = pins.pins.length + rejected.length + expected.length === 0 && lastCa === null;
  return (
    <Section title="Keys">
      {nothing ? <Empty>No key is remembered.</Empty> : null}
      <ul class="keys">
        {pins.pins.map((pin) => (
          <Pin pin={pin} endpoint={pins.endpoint} onChanged={onChanged} key={`${pin.kind} ${pin.spki}`} />
        ))}
        {lastCa === null ? null : (
          <Key sign={lastCaSign} spki={lastCa.spki} locked={false}>
            issued by <Wire text={lastCa.issuer} />, valid until {dateText(lastCa.notAfter)}, seen{' '}
            <When at={lastCa.seenAt} now={now} />
          </Key>
        )}
        {expected.map((one) => (
          <li class="key" key={one.digest}>
            <Badge sign={expectedSign} />
            <code class="print">{`${one.algorithm} ${one.digest}`}</code>
            <span class="quiet">
              of the {one.of}, imported <When at={one.importedAt} now={now} />,{' '}
              {one.until === null ? 'without an end' : `until ${dateText(one.until)}`}
            </span>
          </li>
        ))}
        {rejected.map((spki) => (
          <Key sign={rejectedSign} spki={spki} locked key={spki}>
            never accepted, whatever vouches for it
          </Key>
        ))}
      </ul>
    </Section>
  );
}

const lastCaSign: Sign = {
  word: 'last CA-verified',
  icon: 'seal',
  tone: 'good',
  meaning: 'Kept for comparison; the CA decides anew each time.',
};
const rejectedSign: Sign = {
  word: 'rejected',
  icon: 'refused',
  tone: 'bad',
  meaning: 'Somebody rejected this key.',
};
const expectedSign: Sign = {
  word: 'expected',
  icon: 'clock',
  tone: 'plain',
  meaning: 'Imported by its hash and not seen yet.',
};
const endedSign: Sign = { word: 'ended', icon: 'clock', tone: 'plain', meaning: 'This pin counts no more.' };

const originSigns: Readonly<Record<PinRow['origin'], Sign>> = {
  'first-use': {
    word: 'pinned on first use',
    icon: 'first',
    tone: 'first',
    meaning: 'Nobody has compared this key yet.',
  },
  approved: {
    word: 'approved',
    icon: 'check',
    tone: 'pin',
    meaning: 'Somebody compared this key and said yes.',
  },
  added: { word: 'added', icon: 'pin', tone: 'pin', meaning: 'Somebody named this key in advance.' },
  imported: { word: 'imported', icon: 'pin', tone: 'pin', meaning: 'It came from another program.' },
  config: {
    word: 'in the configuration',
    icon: 'pin',
    tone: 'pin',
    meaning: 'The pins: line of the configuration names it.',
  },
};

interface KeyProps {
  readonly sign: Sign;
  readonly spki: string;
  readonly locked: boolean;
  readonly children: ComponentChildren;
}

function Key({ sign, spki, locked, children }: KeyProps): VNode {
  return (
    <li class="key">
      <Badge sign={sign} />
      <Fingerprint value={spki} locked={locked} />
      <span class="quiet">{children}</span>
    </li>
  );
}

interface PinProps {
  readonly pin: PinRow;
  readonly endpoint: string;
  readonly onChanged: () => void;
}

function Pin({ pin, endpoint, onChanged }: PinProps): VNode {
  const { now, mayWrite } = useDesk();
  const uncompared = pin.origin === 'first-use';
  const unconfirmed = pin.live && uncompared;
  return (
    <li class={pin.live ? 'key' : 'key key-over'}>
      <Badge sign={pin.live ? originSigns[pin.origin] : endedSign} />
      {/* What nobody has compared must not be copied from here into the field that compares. */}
      <Fingerprint value={pin.spki} locked={uncompared} />
      <span class="quiet">
        {pin.kind === 'anchor' ? 'an anchor, ' : ''}
        {pin.live
          ? pin.until === null
            ? 'without an end'
            : `until ${dateText(pin.until)}`
          : `was ${pin.origin}`}
        {pin.lastSeen === null ? ', not seen yet' : ', last seen '}
        {pin.lastSeen === null ? null : <When at={pin.lastSeen} now={now} />}
        {pin.parent === undefined ? '' : ', on the word of another key'}
        {unconfirmed ? '. Nobody has compared it yet.' : ''}
      </span>
      {mayWrite && pin.live ? (
        <RejectButton endpoint={endpoint} spki={pin.spki} name="this key" onChanged={onChanged} />
      ) : null}
    </li>
  );
}
