import './player.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { showPage } from '../shared/page.tsx';
import { PlayerPage } from './player-page.tsx';

const queries = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } });

showPage(
  <QueryClientProvider client={queries}>
    <PlayerPage />
  </QueryClientProvider>,
);
