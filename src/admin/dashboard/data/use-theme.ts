// Light, dark, or as the system says. Kept for this page in the browser; it says nothing about anybody.

import { useCallback, useEffect, useState } from 'preact/hooks';

export type Theme = 'system' | 'light' | 'dark';

const place = 'letterlock-theme';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

export interface ThemeState {
  readonly theme: Theme;
  /** What is drawn now. */
  readonly drawn: 'light' | 'dark';
  readonly choose: (theme: Theme) => void;
}

export function useTheme(): ThemeState {
  const [theme, setTheme] = useState<Theme>(kept);
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => setDark(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  const drawn = theme === 'system' ? (dark ? 'dark' : 'light') : theme;
  document.documentElement.dataset['theme'] = drawn;
  const choose = useCallback((chosen: Theme) => {
    setTheme(chosen);
    try {
      localStorage.setItem(place, chosen);
    } catch {
      // A browser without storage: it holds until the page is closed.
    }
  }, []);
  return { theme, drawn, choose };
}

function kept(): Theme {
  try {
    const known = localStorage.getItem(place);
    return themes.find((theme) => theme === known) ?? 'system';
  } catch {
    return 'system';
  }
}
