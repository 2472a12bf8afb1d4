// What is wrong with a presented certificate, what that means and what helps; and whether others see the same key.

import type { VNode } from 'preact';
import type { Comparison } from '../wire.ts';
import { Icon } from './icon.tsx';
import { Section } from './page.tsx';
import { Wire } from './words.tsx';

export function Faults({ comparison }: { readonly comparison: Comparison }): VNode {
  const { faults, caValid } = comparison;
  return (
    <Section title="What is wrong with it">
      {faults.length === 0 ? (
        <p>
          {caValid
            ? 'Nothing: a trusted CA vouches for it under this name. It is refused because it is not the key that is known.'
            : 'No fault was found in it.'}
        </p>
      ) : (
        <dl class="faults">
          {faults.map(({ code, meaning, advice }) => (
            <div key={code}>
              <dt>
                <Icon name="alert" />
                {meaning}
              </dt>
              <dd>
                {advice} <code class="quiet">{code}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

export function Corroborated({ comparison }: { readonly comparison: Comparison }): VNode {
  const { corroboration } = comparison;
  if (corroboration === null) {
    return (
      <Section title="Seen from elsewhere">
        <p>
          Nobody looked from elsewhere. With <code>corroborate</code> in the configuration letterlock asks
          other ports and paths before a first use; now you can look yourself from another network, with{' '}
          <code>letterlock inspect</code>.
        </p>
      </Section>
    );
  }
  const { agreed, differing, unreached } = corroboration;
  return (
    <Section title="Seen from elsewhere">
      <ul class="vantages">
        {agreed.map((where) => (
          <li class="tone-good" key={where}>
            <Icon name="check" /> {where}: the same key
          </li>
        ))}
        {differing.map(({ where }) => (
          <li class="tone-bad" key={where}>
            <Icon name="unequal" /> {where}: another key
          </li>
        ))}
        {unreached.map((where) => (
          <li class="tone-plain" key={where}>
            <Icon name="unknown" /> <Wire text={where} />: could not be asked
          </li>
        ))}
      </ul>
    </Section>
  );
}
