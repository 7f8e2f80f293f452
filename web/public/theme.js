// Before anything is painted: the theme and language that were chosen here, so that nothing flashes.
try {
  const theme = localStorage.getItem('biblio.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {} // a browser that keeps nothing
