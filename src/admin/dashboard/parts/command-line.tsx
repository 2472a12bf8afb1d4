// The command that does the same, to copy.

import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

export function CommandLine({ line }: { readonly line: string }): VNode {
  return (
    <div class="command">
      <span class="quiet">The same on the command line</span>
      <pre tabIndex={0}>
        <code>{line}</code>
      </pre>
      <CopyButton text={line} word="Copy" />
    </div>
  );
}

export function CopyButton({ text, word }: { readonly text: string; readonly word: string }): VNode {
  const [done, setDone] = useState<string | null>(null);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setDone('Copied'),
      () => setDone('Select it and copy by hand'),
    );
  };
  return (
    <button type="button" class="button" onClick={copy}>
      <Icon name="copy" />
      {done ?? word}
    </button>
  );
}
