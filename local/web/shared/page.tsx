import './theme.css';
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

const PAGES = [
  { href: '/', title: 'Console' },
  { href: '/player', title: 'Player' },
] as const;

/** Puts a page's content below the bar that all pages share. */
export function showPage(content: ReactNode): void {
  const root = document.getElementById('root');
  if (root === null) throw new Error('The page has no element with the id "root".');
  createRoot(root).render(
    <StrictMode>
      <TopBar />
      <main id="content" tabIndex={-1}>
        {content}
      </main>
    </StrictMode>,
  );
}

/** Skipping is done by script, for the console keeps its own route in the address's fragment. */
function TopBar() {
  return (
    <>
      <button type="button" className="skip-link" onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <header className="top-bar">
        <span className="brand">
          <img src="/assets/icon.svg" alt="" />
          <span>Stream session reconnection</span>
        </span>
        <nav aria-label="Pages">
          {PAGES.map(({ href, title }) => (
            <a key={href} href={href} aria-current={href === location.pathname ? 'page' : undefined}>
              {title}
            </a>
          ))}
        </nav>
      </header>
    </>
  );
}
