// Line icons on a grid of 24, drawn in the colour of the text around them.
const PATHS = {
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5 12 4.5 4.5',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  more: 'M12 5.5h.01M12 12h.01M12 18.5h.01',
  play: 'M8 5.5v13l10.5-6.5Z',
  pause: 'M8 5.5v13M16 5.5v13',
  retry: 'M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4',
  up: 'm6 15 6-6 6 6',
  down: 'm6 9 6 6 6-6',
  left: 'm14.5 6-6 6 6 6',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  download: 'M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 20h14',
  similar: 'M4 12c2.5-5 5.5-5 8 0s5.5 5 8 0',
  open: 'M9 5H6a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1v-3M13 5h6v6M19 5l-8.5 8.5',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  alert: 'M12 8v5m0 3.5v.01M12 3.5l9 16H3Z',
  film: 'M4 6h16v12H4ZM8.5 6v12M15.5 6v12M4 12h4.5M15.5 12H20',
  sound: 'M4 10v4M8 7v10M12 4v16M16 7v10M20 10v4',
  settings: 'M4 8h7m5 0h4M4 16h3m5 0h8M11 8a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0ZM7 16a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0Z',
  upload: 'M12 15V4m0 0L7.5 8.5M12 4l4.5 4.5M5 20h14',
  filter: 'M4 7h16M7 12h10M10 17h4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" data-icon={name} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
