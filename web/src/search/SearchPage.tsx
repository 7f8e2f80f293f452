import './search.css';
import { useEffect, useMemo, useState } from 'react';
import { Failed, State } from '../controls/State';
import { useWords } from '../text/words';
import { Found } from './Found';
import { SearchFilterBar } from './SearchFilterBar';
import { useAsked, useSearch, type Answer } from './useSearch';

/** The moment that plays on this page; one at a time. */
export interface Playing {
  videoId: string;
  start: number;
}

export default function SearchPage() {
  const { say } = useWords();
  const { asked, filter, clear } = useAsked();
  const search = useSearch(asked);
  const [playing, setPlaying] = useState<Playing | null>(null);
  const isAsked = Boolean(asked.q || asked.like);
  const question = asked.like ? `${asked.like.id} ${asked.like.time}` : asked.q;
  useEffect(() => { setPlaying(null); }, [question]);
  useEffect(() => { document.title = `${asked.q || say('search')} – biblio`; }, [asked.q, say]);

  if (!isAsked) return <State icon="search" title={say('startSearch')} why={say('startSearchWhy')} />;
  const pages = search.data?.pages;
  const isFiltered = Object.keys(asked.filters).length > 0;
  return (
    <section aria-labelledby="search-title" className="search-page">
      <div className="page-head">
        <h1 id="search-title">{asked.like ? say('similarTo') : say('resultsFor', { q: asked.q })}</h1>
        <p className="soft count" role="status"><Told pages={pages} isSearching={search.isFetching && !search.isFetchingNextPage} hasMore={search.hasNextPage} /></p>
      </div>
      {asked.like && pages?.[0]?.text && <blockquote className="quoted">{pages[0].text}</blockquote>}
      {!asked.like && <SearchFilterBar filters={asked.filters} onFilter={filter} />}
      {pages?.[0]?.relaxed && <p className="hint">{say('relaxed')}</p>}
      {search.error && !search.isFetching && <Failed title={say('searchFailed')} problem={search.error} onRetry={() => void search.refetch()} />}
      {search.isPending && !search.error && <div className="results-waiting" aria-hidden="true">{[1, 2, 3].map((one) => <div key={one} className="found waiting"><div className="poster" /><div><div className="bar" /><div className="bar short" /><div className="bar" /></div></div>)}</div>}
      {!search.error && <Results pages={pages} isOld={search.isPlaceholderData} query={asked.q} playing={playing} onPlay={setPlaying} />}
      {!search.error && pages && !pages[0]?.results.length && !search.isPlaceholderData && (
        <State icon="search" title={say('noResults', { q: asked.like ? say('similarTo') : asked.q })} why={say('noResultsWhy')}>
          {isFiltered && <button type="button" className="button" onClick={clear}>{say('clearFilters')}</button>}
        </State>
      )}
      {search.hasNextPage && <div className="more"><button type="button" className="button" disabled={search.isFetchingNextPage} onClick={() => void search.fetchNextPage()}>{say(search.isFetchingNextPage ? 'loading' : 'moreResults')}</button></div>}
    </section>
  );
}

function Told({ pages, isSearching, hasMore }: { pages: Answer[] | undefined; isSearching: boolean; hasMore: boolean }) {
  const { say } = useWords();
  if (isSearching) return <>{say('searching')}</>;
  const results = pages?.flatMap((page) => page.results) ?? [];
  if (!results.length) return null;
  const moments = results.reduce((sum, video) => sum + video.moments.length, 0);
  return <>{say(hasMore ? 'foundMore' : 'found', { moments, videos: results.length })}</>;
}

function Results({ pages, isOld, query, playing, onPlay }: { pages: Answer[] | undefined; isOld: boolean; query: string; playing: Playing | null; onPlay: (playing: Playing | null) => void }) {
  const results = useMemo(() => pages?.flatMap((page) => page.results) ?? [], [pages]);
  return (
    <div className="results" data-old={isOld || undefined} aria-busy={isOld}>
      {results.map((video) => <Found key={video.video_id} video={video} query={query} playing={playing?.videoId === video.video_id ? playing : null} onPlay={onPlay} />)}
    </div>
  );
}
