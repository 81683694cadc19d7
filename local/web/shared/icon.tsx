/** Line icons on a grid of 16 × 16, drawn in the colour of their text and silent to screen readers. */
const PATHS = {
  running: 'M8 2a6 6 0 1 1-5.2 3',
  succeeded: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM5.2 8.200l2 2L11 6',
  failed: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM6 6l4 4M10 6l-4 4',
  caught: 'M8 2 14.5 13.500H1.500ZM8 6.500v3.200M8 11.600v.2',
  timedOut: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM8 4.500V8l2.3 1.5',
  aborted: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM5 8h6',
  retried: 'M3 6a5.5 5.5 0 0 1 10-.5M13 10a5.5 5.5 0 0 1-10 .5M13.3 2.500v3h-3M2.7 13.500v-3h3',
  none: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0Z',
  open: 'M6 3l5 5-5 5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      className={name === 'running' ? 'icon turning' : 'icon'}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
