// The icons, drawn on a 20 by 20 grid with one stroke. They stand beside words and are never read out.

import type { VNode } from 'preact';
import type { IconName } from '../words/signs.ts';

const paths: Readonly<Record<IconName, string>> = {
  about: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15ZM10 9v5M10 6.2v.1',
  alert: 'M10 3 2.2 16.5h15.6L10 3ZM10 8.2v4M10 14.3v.1',
  arrow: 'M4 10h12M11 5l5 5-5 5',
  broken:
    'M3 4.5C3 3.4 6.1 2.5 10 2.5s7 .9 7 2v11c0 1.1-3.1 2-7 2s-7-.9-7-2v-11ZM3 4.5c0 1.1 3.1 2 7 2s7-.9 7-2M11 8l-2.4 3.2h3L9.4 14.4',
  check: 'M3.5 10.5 8 15l8.5-9.5',
  clock: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15ZM10 5.8V10l3 2',
  close: 'M5 5l10 10M15 5 5 15',
  conflict: 'M10 17v-5.5L4 5.5M10 11.5l6-6M4 9V5.5h3.5M12.5 5.5H16V9',
  copy: 'M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5V7Z',
  empty: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15ZM4.8 15.2 15.2 4.8',
  endpoints: 'M3 3.5h14v5H3v-5ZM3 11.5h14v5H3v-5ZM6 6v.1M6 14v.1M9.5 6H14M9.5 14H14',
  equal: 'M5 8h10M5 12h10',
  events: 'M2.5 10.5h3.2L8 4l4 12 2.3-5.5h3.2',
  first: 'M10 2.5 12 7.8l5.5.3-4.3 3.5 1.5 5.4-4.7-3.1L5.3 17l1.5-5.4L2.5 8.1 8 7.8l2-5.3Z',
  history: 'M3 10a7 7 0 1 0 2.2-5.1L3 7M3 3v4h4M10 6.2V10l2.6 1.7',
  info: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15ZM10 9v5M10 6.2v.1',
  lock: 'M4.5 9h11v8h-11V9ZM6.8 9V6.2a3.2 3.2 0 0 1 6.4 0V9M10 12.2v1.8',
  moon: 'M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z',
  overview: 'M3 3.5h6v7H3v-7ZM11.5 3.5H17v4h-5.5v-4ZM11.5 10H17v6.5h-5.5V10ZM3 13h6v3.5H3V13Z',
  pause: 'M6.5 4.5v11M13.5 4.5v11',
  pin: 'M7 3h6M8 3v5l-2.5 3.5h9L12 8V3M10 11.5V17',
  play: 'M6 4l10 6-10 6V4Z',
  probe: 'M10 2.5v3M10 14.5v3M2.5 10h3M14.5 10h3M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  refused: 'M6.9 2.5h6.2l4.4 4.4v6.2l-4.4 4.4H6.9l-4.4-4.4V6.9l4.4-4.4ZM7 7l6 6M13 7l-6 6',
  reload: 'M17 10a7 7 0 1 1-2.2-5.1L17 7M17 3v4h-4',
  search: 'M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM13 13l4 4',
  seal: 'M10 2.3l2 1.5 2.5-.2.7 2.4 2.1 1.4-.9 2.3.9 2.3-2.1 1.4-.7 2.4-2.5-.2-2 1.5-2-1.5-2.5.2-.7-2.4L2.7 12l.9-2.3-.9-2.3L4.8 6l.7-2.4 2.5.2 2-1.5ZM7 10l2.2 2.2L13.2 8',
  sessions: 'M3 6.5h11M11 3.5l3 3-3 3M17 13.5H6M9 10.5l-3 3 3 3',
  sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M15.7 4.3l-1.2 1.2M5.5 14.5l-1.2 1.2',
  undo: 'M4 8h8.5a4 4 0 0 1 0 8H8M4 8l3.5-3.5M4 8l3.5 3.5',
  unequal: 'M5 7.5h10M5 12.5h10M13 4 7 16',
  unknown:
    'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15ZM7.8 7.8a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M10 14v.1',
};

export function Icon({ name }: { readonly name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of the program: a folded letter whose flap is locked. */
export function Mark(): VNode {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="mark-paper" d="M3 8.5 16 4l13 4.5v17.2L16 28 3 25.7V8.5Z" />
      <path class="mark-fold" d="M3 8.5 16 18 29 8.5M3 25.7l9.2-10.5M29 25.7l-9.2-10.5" />
      <circle class="mark-seal" cx="16" cy="18.4" r="4.6" />
      <path class="mark-key" d="M16 16.4a1.3 1.3 0 0 1 .6 2.5l.4 2h-2l.4-2a1.3 1.3 0 0 1 .6-2.5Z" />
    </svg>
  );
}
