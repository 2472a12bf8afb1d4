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
      <CopyButton text={line} what="the command" />
    </div>
  );
}

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }): VNode {
  const [word, setWord] = useState('Copy');
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setWord('Copied'),
      () => setWord('Select it and copy by hand'),
    );
  };
  return (
    <button type="button" class="button" aria-label={`${word} ${what}`} onClick={copy}>
      <Icon name="copy" />
      {word}
    </button>
  );
}
