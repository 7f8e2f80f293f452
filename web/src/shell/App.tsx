// What is seen at which address.
import { Suspense, lazy, useEffect } from 'react';
import { Route, Switch } from 'wouter';
import { Failed } from '../controls/State';
import { LibraryPage } from '../library/LibraryPage';
import { useLive } from '../live/useLive';
import { useWords } from '../text/words';
import { DropZone } from '../uploads/DropZone';
import { Banner, Notice } from './Banner';
import { Header } from './Header';
import { NotFound } from './NotFound';
import { SignIn } from './SignIn';
import { useScrollMemory } from './useScrollMemory';
import { useSession } from './useSession';

const VideoPage = lazy(() => import('../video/VideoPage'));
const SearchPage = lazy(() => import('../search/SearchPage'));

export function App() {
  const { say, language } = useWords();
  const { session, isReading, problem, isLinkUsed, enter, leave, again } = useSession();
  useEffect(() => { document.title = 'biblio'; }, [language, session]);

  if (isReading) return <p className="unseen" role="status">{say('loading')}</p>;
  if (problem) return <main className="page"><Banner /><Failed problem={problem} onRetry={() => void again()} /></main>;
  if (!session) return <><Banner /><SignIn isLinkUsed={isLinkUsed} onEnter={enter} /></>;
  return <Inside name={session.name ?? ''} onLeave={leave} />;
}

function Inside({ name, onLeave }: { name: string; onLeave: () => Promise<void> }) {
  const { say } = useWords();
  useLive();
  useScrollMemory();
  return (
    <DropZone>
      <a className="skip" href="#content">{say('skip')}</a>
      <Header name={name} onLeave={onLeave} />
      <Banner />
      <main id="content" className="page" tabIndex={-1}>
        <Suspense fallback={<p className="page-loading" role="status">{say('loading')}</p>}>
          <Switch>
            <Route path="/"><LibraryPage /></Route>
            <Route path="/search"><SearchPage /></Route>
            <Route path="/videos/:id">{({ id }) => <VideoPage key={id} id={id} />}</Route>
            <Route><NotFound /></Route>
          </Switch>
        </Suspense>
      </main>
      <Notice />
    </DropZone>
  );
}
