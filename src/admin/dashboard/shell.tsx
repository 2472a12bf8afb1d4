// The frame around every view: brand, navigation, the state of the connection, the live region.

import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from './data/api.ts';
import { DeskContext, type Desk } from './data/desk.ts';
import { useDeskState } from './data/use-desk-state.ts';
import type { Theme, ThemeState } from './data/use-theme.ts';
import { Icon, Mark } from './parts/icon.tsx';
import { ErrorNotice } from './parts/notice.tsx';
import { AboutView } from './views/about.tsx';
import { DecisionView } from './views/decision.tsx';
import { EndpointView } from './views/endpoint.tsx';
import { EndpointsView } from './views/endpoints.tsx';
import { EventsView } from './views/events.tsx';
import { HistoryView } from './views/history.tsx';
import { OverviewView } from './views/overview.tsx';
import { SessionsView } from './views/sessions.tsx';
import type { SessionGrant } from './wire.ts';
import { concernsOf } from './words/concerns.ts';
import { addressOf, viewOf, type View } from './words/route.ts';
import type { IconName } from './words/signs.ts';

interface ShellProps {
  readonly grant: SessionGrant;
  readonly theme: ThemeState;
  readonly expired: () => void;
  readonly leave: () => void;
}

export function Shell({ grant, theme, expired, leave }: ShellProps): VNode {
  const desk = useDeskState(grant, theme.drawn, expired);
  const { view, moved } = useView();
  return (
    <DeskContext.Provider value={{ ...desk, moved }}>
      <a class="skip" href="#content" onClick={toContent}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={addressOf({ view: 'overview' })}>
          <Mark />
          <span>letterlock</span>
        </a>
        <div class="top-side">
          <Line desk={desk} />
          <ThemeButton state={theme} />
          <button
            type="button"
            class="button quiet-button"
            aria-label="Lock this page"
            title="Lock this page"
            onClick={leave}
          >
            <Icon name="lock" />
          </button>
        </div>
      </header>
      <Navigation
        view={view}
        waiting={desk.endpoints.value?.reduce((sum, row) => sum + row.candidates, 0) ?? 0}
      />
      <main id="content" tabIndex={-1}>
        {desk.lost === null ? null : <ErrorNotice error={desk.lost} />}
        <Content view={view} />
        {desk.mayWrite ? null : <ReadOnly />}
      </main>
      <p class="sr" role="status" aria-live="polite" data-live="">
        {desk.said}
      </p>
    </DeskContext.Provider>
  );
}

/** The hash names views, so that the skip link moves the focus by itself. */
function toContent(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function useView(): { readonly view: View; readonly moved: Desk['moved'] } {
  const moved = useRef(false);
  const [view, setView] = useState(() => viewOf(location.hash));
  useEffect(() => {
    const changed = (): void => {
      moved.current = true;
      setView(viewOf(location.hash));
      scrollTo(0, 0);
    };
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return { view, moved };
}

function Content({ view }: { readonly view: View }): VNode {
  switch (view.view) {
    case 'overview':
      return <OverviewView />;
    case 'endpoints':
      return <EndpointsView />;
    case 'endpoint':
      return <EndpointView key={view.endpoint} endpoint={view.endpoint} />;
    case 'decision':
      return <DecisionView key={view.reference} reference={view.reference} />;
    case 'sessions':
      return <SessionsView />;
    case 'events':
      return <EventsView />;
    case 'history':
      return <HistoryView />;
    case 'about':
      return <AboutView />;
  }
}

interface Place {
  readonly view: Exclude<View['view'], 'endpoint' | 'decision'>;
  readonly word: string;
  readonly icon: IconName;
}

const places: readonly Place[] = [
  { view: 'overview', word: 'Overview', icon: 'overview' },
  { view: 'endpoints', word: 'Endpoints', icon: 'endpoints' },
  { view: 'sessions', word: 'Sessions', icon: 'sessions' },
  { view: 'events', word: 'Events', icon: 'events' },
  { view: 'history', word: 'History', icon: 'history' },
  { view: 'about', word: 'About', icon: 'about' },
];

function Navigation({ view, waiting }: { readonly view: View; readonly waiting: number }): VNode {
  const current = view.view === 'endpoint' || view.view === 'decision' ? 'endpoints' : view.view;
  return (
    <nav class="places" aria-label="Views">
      {places.map(({ view: name, word, icon }) => (
        <a href={addressOf({ view: name })} aria-current={current === name ? 'page' : undefined}>
          <Icon name={icon} />
          <span>{word}</span>
          {name === 'endpoints' && waiting > 0 ? (
            <b class="count">
              {waiting}
              <span class="sr"> waiting for a decision</span>
            </b>
          ) : null}
        </a>
      ))}
    </nav>
  );
}

function Line({ desk }: { readonly desk: Omit<Desk, 'moved'> }): VNode {
  const { status, endpoints, lost, now, mayWrite } = desk;
  const concerns = concernsOf({ status: status.value, endpoints: endpoints.value ?? [] }, now);
  useEffect(() => {
    const count = concerns.length === 0 ? '' : `(${concerns.length}) `;
    document.title = `${count}letterlock`;
  }, [concerns.length]);
  const word = lost !== null ? lostWord(lost) : status.value === null ? 'connecting' : 'live';
  return (
    <>
      <span class={`line line-${lost === null ? 'up' : 'down'}`} role="status">
        <span class="dot" aria-hidden="true" />
        <span class="line-word">{word}</span>
      </span>
      <span class="scope">{mayWrite ? 'admin' : 'read only'}</span>
    </>
  );
}

/** An error that letterlock told came over a connection. */
const lostWord = ({ code }: ApiError): string =>
  ['offline', 'no-daemon', 'socket-denied', 'socket-doubtful'].includes(code)
    ? 'connection lost'
    : 'out of date';

const nextTheme: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const themeWords: Readonly<Record<Theme, string>> = { system: 'as the system', light: 'light', dark: 'dark' };

function ThemeButton({ state }: { readonly state: ThemeState }): VNode {
  const next = nextTheme[state.theme];
  return (
    <button
      type="button"
      class="button quiet-button"
      aria-label={`Colours: ${themeWords[state.theme]}. Change to ${themeWords[next]}`}
      title={`Colours: ${themeWords[state.theme]}`}
      onClick={() => state.choose(next)}
    >
      <Icon name={state.drawn === 'dark' ? 'moon' : 'sun'} />
    </button>
  );
}

function ReadOnly(): VNode {
  return (
    <p class="read-only">
      <Icon name="lock" />
      <span>
        This page only shows. To decide here as well, open it with <code>letterlock dashboard --admin</code>.
      </span>
    </p>
  );
}
