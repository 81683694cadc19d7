/** A page, with its bundle in `local/web/<entry>/main.tsx`. */
export interface Page {
  readonly path: string;
  readonly entry: string;
  readonly title: string;
}

export const PAGES = [
  { path: '/', entry: 'console', title: 'Local console' },
  { path: '/player', entry: 'player', title: 'Player' },
] as const satisfies readonly Page[];

export function pageHtml({ entry, title }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" type="image/svg+xml" href="/assets/icon.svg">
<link rel="stylesheet" href="/assets/${entry}.css">
<script type="module" src="/assets/${entry}.js"></script>
</head>
<body>
<div id="root"></div>
<noscript>This page needs JavaScript. It loads nothing but what the local stack serves.</noscript>
</body>
</html>
`;
}
