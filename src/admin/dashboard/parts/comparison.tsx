// Two certificates side by side. A difference is told by word, icon and colour; what is the same steps back.

import type { VNode } from 'preact';
import { useDesk } from '../data/desk.ts';
import type { Comparison, Difference, Side } from '../wire.ts';
import { dateText } from '../words/format.ts';
import { Icon } from './icon.tsx';
import { LifetimeBar } from './lifetime.tsx';
import { Fingerprint, Wire } from './words.tsx';

const fieldWords: Readonly<Record<string, string>> = {
  key: 'Key (SHA-256)',
  keyType: 'Kind of key',
  subject: 'Subject',
  issuer: 'Issued by',
  names: 'For the names',
  notBefore: 'Valid from',
  notAfter: 'Valid until',
  serial: 'Serial number',
  signature: 'Signature',
  selfSigned: 'Signed by itself',
};

const basisWords: Readonly<Record<Side['basis'], string>> = {
  pinned: 'the pinned key',
  ca: 'last CA-verified',
  ended: 'a pin that has ended',
  candidate: 'refused until now',
};

export function ComparisonTable({ comparison }: { readonly comparison: Comparison }): VNode {
  const { known, presented, differences } = comparison;
  const changed = differences.filter(({ same }) => !same).length;
  return (
    <>
      <p class="quiet">
        {known === null
          ? 'Nothing was known of this server, so there is nothing to compare with.'
          : `${changed} of ${differences.length} facts differ. The fingerprint is what counts; all else can be copied by anybody.`}
      </p>
      <table class="compare">
        <thead>
          <tr>
            <th scope="col">
              <span class="sr">Fact</span>
            </th>
            <th scope="col">
              Known
              <span class="quiet">{known === null ? 'nothing yet' : basisWords[known.basis]}</span>
            </th>
            <th scope="col">
              Presented
              <span class="quiet">{basisWords[presented.basis]}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          <LifeRow comparison={comparison} />
          {differences.map((difference) => (
            <Row difference={difference} compared={known !== null} key={difference.field} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function LifeRow({ comparison }: { readonly comparison: Comparison }): VNode {
  const { now } = useDesk();
  const life = (side: Side | null): VNode =>
    side?.certificate == null ? (
      <span class="quiet">not known</span>
    ) : (
      <LifetimeBar dates={side.certificate} now={now} />
    );
  return (
    <tr>
      <th scope="row">Lifetime</th>
      <td data-label="Known">{life(comparison.known)}</td>
      <td data-label="Presented">{life(comparison.presented)}</td>
    </tr>
  );
}

function Row({
  difference,
  compared,
}: {
  readonly difference: Difference;
  readonly compared: boolean;
}): VNode {
  const { field, known, presented, same } = difference;
  const differs = compared && !same;
  return (
    <tr class={differs ? 'differs' : ''}>
      <th scope="row">
        {fieldWords[field] ?? field}
        {compared ? (
          <span class="mark-word">
            <Icon name={same ? 'equal' : 'unequal'} />
            {same ? 'same' : 'differs'}
          </span>
        ) : null}
      </th>
      <td data-label="Known">
        <Value field={field} text={known} locked={false} />
      </td>
      <td data-label="Presented">
        <Value field={field} text={presented} locked />
      </td>
    </tr>
  );
}

interface ValueProps {
  readonly field: string;
  readonly text: string | null;
  readonly locked: boolean;
}

function Value({ field, text, locked }: ValueProps): VNode {
  if (text === null) return <span class="quiet">–</span>;
  if (field === 'key') return <Fingerprint value={text} locked={locked} />;
  if (field === 'notBefore' || field === 'notAfter') return <span>{dateText(text)}</span>;
  return <Wire text={text} />;
}
