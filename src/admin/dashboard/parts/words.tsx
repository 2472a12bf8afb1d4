// The smallest parts: text from the wire, times, fingerprints, badges. Everything a server may have written goes
// through `Wire` or `Fingerprint`.

import type { ComponentChildren, VNode } from 'preact';
import { agoText, dateText, groupsOf } from '../words/format.ts';
import { cutAtKeys } from '../words/masked.ts';
import type { Sign } from '../words/signs.ts';
import { piecesOf } from '../words/visible.ts';
import { Icon } from './icon.tsx';

/**
 * Text as a server or a certificate says it: apart in reading direction, with what would not show itself written out.
 * A fingerprint in it can be read and not be selected: whoever wrote it, nobody compared it.
 */
export function Wire({ text }: { readonly text: string }): VNode {
  return (
    <bdi class="wire">
      {cutAtKeys(text).map((stretch) =>
        stretch.isKey ? <Fingerprint value={stretch.text} locked /> : <Plain text={stretch.text} />,
      )}
    </bdi>
  );
}

const Plain = ({ text }: { readonly text: string }): VNode => (
  <>{piecesOf(text).map((piece) => (piece.odd ? <mark class="odd">{piece.text}</mark> : piece.text))}</>
);

/** `locked`: it can be read and not be selected, because it must not be what somebody pastes back. */
export function Fingerprint({
  value,
  locked = false,
}: {
  readonly value: string;
  readonly locked?: boolean;
}): VNode {
  return (
    <code class={locked ? 'print print-locked' : 'print'}>
      {groupsOf(value).map((group) => (
        <span>{group}</span>
      ))}
    </code>
  );
}

export function Badge({ sign }: { readonly sign: Sign }): VNode {
  return (
    <span class={`badge tone-${sign.tone}`} title={sign.meaning}>
      <Icon name={sign.icon} />
      {sign.word}
    </span>
  );
}

/** How long ago, with the date behind it. */
export function When({ at, now }: { readonly at: string; readonly now: number }): VNode {
  return (
    <time dateTime={at} title={dateText(at)}>
      {agoText(at, now)}
    </time>
  );
}

export function Day({ at }: { readonly at: string }): VNode {
  return <time dateTime={at}>{dateText(at)}</time>;
}

export function Empty({ children }: { readonly children: ComponentChildren }): VNode {
  return <p class="empty">{children}</p>;
}
