// Light or dark: the system's, until another is chosen. `public/theme.js` reads it before the first paint.
import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const KEPT = 'biblio.theme';

function kept(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, set] = useState(kept);
  function choose(next: Theme): void {
    set(next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === 'system') localStorage.removeItem(KEPT);
      else localStorage.setItem(KEPT, next);
    } catch {
      // it stays for as long as the page is open
    }
  }
  return [theme, choose];
}
