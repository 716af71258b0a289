import { nonce } from './nonce';
import createCache from '@emotion/cache';
import { CacheProvider } from '@emotion/react';
import { CssBaseline, ThemeProvider } from '@mui/material';
import { getTheme } from '@perses-dev/components';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { lazy, StrictMode, Suspense, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter, Link, NavLink, Route, Routes, useLocation, useNavigate } from 'react-router-dom';
import { QueryParamProvider } from 'use-query-params';
import { ReactRouter6Adapter } from 'use-query-params/adapters/react-router-6';
import { Alerts } from './Alerts';
import { List } from './List';
import { Failure, Waiting } from './parts';
import { listing, root, start, type Entry } from './server';
import './page.css';

// Perses is most of what the page weighs; the other screens do without.
const Board = lazy(() => import('./Board'));

const styles = createCache({ key: 'css', nonce });
const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false, retry: 1 } } });

const dark = matchMedia('(prefers-color-scheme: dark)');
const choices = ['system', 'light', 'dark'] as const;
type Choice = (typeof choices)[number];

function useScheme(): ['light' | 'dark', Choice, (c: Choice) => void] {
  const system = useSyncExternalStore(
    (changed) => {
      dark.addEventListener('change', changed);
      return () => dark.removeEventListener('change', changed);
    },
    () => (dark.matches ? 'dark' : 'light')
  );
  const [choice, set] = useState<Choice>(() => choices.find((c) => c === localStorage.getItem('theme')) ?? 'system');
  const scheme = choice === 'system' ? system : choice;
  useEffect(() => {
    document.documentElement.dataset.scheme = scheme;
  }, [scheme]);
  const choose = (c: Choice) => {
    localStorage.setItem('theme', c);
    set(c);
  };
  return [scheme, choice, choose];
}

/** The part of the address that another dashboard understands too. */
function kept(search: string): string {
  const all = new URLSearchParams(search);
  const some = [...all].filter(([k]) => k.startsWith('var-') || ['start', 'end', 'refresh'].includes(k));
  return some.length > 0 ? `?${new URLSearchParams(some)}` : '';
}

function Header({ dashboards, choice, choose }: { dashboards: Entry[]; choice: Choice; choose: (c: Choice) => void }) {
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const name = pathname.slice(1);
  return (
    <header className="top">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <a className="home" href={start} aria-label="Loadline, start page">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <circle cx="16" cy="16" r="11" />
          <path d="M0 16h32" />
        </svg>
        Loadline
      </a>
      <nav aria-label="Screens">
        <Link to="/" aria-current={name === '' ? 'page' : undefined}>
          Dashboards
        </Link>
        <NavLink to="/alerts">Alerts</NavLink>
      </nav>
      {dashboards.some((d) => d.name === name) && (
        <select aria-label="Dashboard" value={name} onChange={(e) => navigate(`/${e.target.value}${kept(search)}`)}>
          {dashboards.map((d) => (
            <option key={d.name} value={d.name}>
              {d.title}
            </option>
          ))}
        </select>
      )}
      <select className="theme" aria-label="Theme" value={choice} onChange={(e) => choose(e.target.value as Choice)}>
        {choices.map((c) => (
          <option key={c} value={c}>
            {c === 'system' ? 'system theme' : c}
          </option>
        ))}
      </select>
    </header>
  );
}

function Screens() {
  const [scheme, choice, choose] = useScheme();
  const theme = useMemo(() => getTheme(scheme), [scheme]);
  const { data, error } = useQuery(['list'], listing, { staleTime: Infinity });
  return (
    <ThemeProvider theme={theme}>
      <CssBaseline />
      <Header dashboards={data?.dashboards ?? []} choice={choice} choose={choose} />
      <main id="main" tabIndex={-1}>
        {error ? (
          <Failure what="The list of dashboards could not be had" error={error} />
        ) : !data ? (
          <Waiting />
        ) : (
          <Suspense fallback={<Waiting />}>
            <Routes>
              <Route path="/" element={<List dashboards={data.dashboards} />} />
              <Route path="/alerts" element={<Alerts />} />
              <Route path="/:name" element={<Board interval={data.interval} />} />
            </Routes>
          </Suspense>
        )}
      </main>
    </ThemeProvider>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <CacheProvider value={styles}>
      <BrowserRouter basename={root}>
        <QueryParamProvider adapter={ReactRouter6Adapter}>
          <QueryClientProvider client={client}>
            <Screens />
          </QueryClientProvider>
        </QueryParamProvider>
      </BrowserRouter>
    </CacheProvider>
  </StrictMode>
);
