import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/shell.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { passes } from './api/problem';
import { App } from './shell/App';
import { Guard } from './shell/Guard';

const MOST_TRIES = 2;

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 30 * 60_000,
      networkMode: 'always', // whether there is a line is found out by trying
      refetchOnWindowFocus: false, // changes are heard
      retry: (failures, problem) => failures < MOST_TRIES && passes(problem),
      retryDelay: (failures) => Math.min(4000, 400 * 2 ** failures),
    },
    mutations: { networkMode: 'always' },
  },
});

createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <Guard>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </Guard>
  </StrictMode>,
);
