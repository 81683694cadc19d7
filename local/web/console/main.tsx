import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { showPage } from '../shared/page.tsx';
import { ExecutionPage } from './execution-page.tsx';
import { ExecutionsPage } from './executions-page.tsx';
import { useRoute } from './use-route.ts';
// After the theme, which comes with the page.
import './console.css';

// A stack that has stopped is told at once; the next refresh finds it when it is back.
const client = new QueryClient({
  defaultOptions: { queries: { retry: false }, mutations: { retry: false } },
});

showPage(
  <QueryClientProvider client={client}>
    <Console />
  </QueryClientProvider>,
);

function Console() {
  const route = useRoute();
  return route.page === 'execution' ? (
    <ExecutionPage key={route.executionArn} executionArn={route.executionArn} />
  ) : (
    <ExecutionsPage route={route} />
  );
}
