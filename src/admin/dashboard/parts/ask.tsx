// A question before something is changed, as a modal dialog of the browser: Escape leaves, focus comes back.

import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../data/api.ts';
import { ErrorNotice } from './notice.tsx';

interface AskProps {
  readonly title: string;
  /** On the button that does it. */
  readonly verb: string;
  readonly danger: boolean;
  /** Has to be typed before the button works; null for nothing. */
  readonly confirmWord: string | null;
  readonly busy: boolean;
  readonly error: ApiError | null;
  readonly onYes: () => void;
  readonly onNo: () => void;
  readonly children: ComponentChildren;
}

export function Ask(props: AskProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const [typed, setTyped] = useState('');
  useEffect(() => dialog.current?.showModal(), []);
  const ready = props.confirmWord === null || typed.trim() === props.confirmWord;
  return (
    <dialog
      ref={dialog}
      class="ask"
      aria-labelledby={title}
      onCancel={(event) => {
        event.preventDefault();
        props.onNo();
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !props.busy) props.onYes();
        }}
      >
        <h2 id={title}>{props.title}</h2>
        {props.children}
        {props.confirmWord === null ? null : (
          <label class="field">
            <span>
              Type <code>{props.confirmWord}</code> to go on
            </span>
            <input
              type="text"
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
              autocomplete="off"
            />
          </label>
        )}
        <ErrorNotice error={props.error} />
        <div class="actions">
          <button
            type="submit"
            class={props.danger ? 'button danger' : 'button primary'}
            disabled={!ready || props.busy}
          >
            {props.busy ? 'Working…' : props.verb}
          </button>
          <button type="button" class="button" onClick={props.onNo}>
            Cancel
          </button>
        </div>
      </form>
    </dialog>
  );
}
