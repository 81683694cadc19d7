/** What the console shows: kept in the address's fragment, so that back, reload and bookmarks work. */
export type Route =
  | { readonly page: 'executions'; readonly machineName: string | undefined; readonly search: string }
  | { readonly page: 'execution'; readonly executionArn: string };

/** @param fragment with or without its `#`. Whatever it does not understand is the list of executions. */
export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#/, '').split('?');
  const [, section, rest = ''] = path.split('/');
  if (section === 'executions' && rest !== '') return { page: 'execution', executionArn: decoded(rest) };
  const search = new URLSearchParams(query).get('search') ?? '';
  return {
    page: 'executions',
    machineName: section === 'machines' && rest !== '' ? decoded(rest) : undefined,
    search,
  };
}

export function hrefOf(route: Route): string {
  if (route.page === 'execution') return `#/executions/${encodeURIComponent(route.executionArn)}`;
  const query = route.search === '' ? '' : `?search=${encodeURIComponent(route.search)}`;
  const path = route.machineName === undefined ? '/' : `/machines/${encodeURIComponent(route.machineName)}`;
  return `#${path}${query}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
