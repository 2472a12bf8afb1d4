// Which view an address of the page names, and the addresses of the views. Everything stands behind the `#`, which
// never reaches a server. Pure.

export type View =
  | { readonly view: 'overview' }
  | { readonly view: 'endpoints' }
  | { readonly view: 'endpoint'; readonly endpoint: string }
  | { readonly view: 'decision'; readonly reference: string }
  | { readonly view: 'sessions' }
  | { readonly view: 'events' }
  | { readonly view: 'history' }
  | { readonly view: 'about' };

type PlainView = Exclude<View['view'], 'endpoint' | 'decision'>;

const plain: readonly PlainView[] = ['overview', 'endpoints', 'sessions', 'events', 'history', 'about'];

/** `#/endpoints/imap.example.org:993` and the like; whatever is unknown or does not decode is the overview. */
export function viewOf(hash: string): View {
  const [, name = '', argument] = /^#\/([a-z]+)(?:\/([^/]+))?$/.exec(hash) ?? [];
  const decoded = argument === undefined ? null : decode(argument);
  if (name === 'endpoints' && decoded !== null) return { view: 'endpoint', endpoint: decoded };
  if (name === 'decide' && decoded !== null) return { view: 'decision', reference: decoded };
  const view = plain.find((known) => known === name);
  return { view: view === undefined || argument !== undefined ? 'overview' : view };
}

export function addressOf(view: View): string {
  if (view.view === 'endpoint') return `#/endpoints/${encodeURIComponent(view.endpoint)}`;
  if (view.view === 'decision') return `#/decide/${encodeURIComponent(view.reference)}`;
  return `#/${view.view}`;
}

/** The one-time code of `#code=…`, and null where there is none. */
export const codeOf = (hash: string): string | null => /^#code=([\w.~-]{8,512})$/.exec(hash)?.[1] ?? null;

function decode(text: string): string | null {
  try {
    const decoded = decodeURIComponent(text);
    return decoded === '' || decoded.length > 300 ? null : decoded;
  } catch {
    return null;
  }
}
