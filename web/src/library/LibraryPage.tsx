import './library.css';
import { useCallback, useEffect, useState } from 'react';
import { Icon } from '../controls/Icon';
import { Failed, State } from '../controls/State';
import { useWords } from '../text/words';
import { useChooseFiles } from '../uploads/DropZone';
import { Filters } from './Filters';
import { Grid } from './Grid';
import { useListParameters, useVideos } from './useVideos';

export function LibraryPage() {
  const { say } = useWords();
  const choose = useChooseFiles();
  const { asked, ask } = useListParameters();
  const { videos, total, isPending, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useVideos(asked);
  const isFiltered = Boolean(asked.status || asked.language || asked.title);
  const more = useCallback(() => { if (!isFetchingNextPage) void fetchNextPage(); }, [fetchNextPage, isFetchingNextPage]);
  useEffect(() => { document.title = `${say('library')} – biblio`; }, [say]);

  const add = <button type="button" className="button strong" onClick={choose}><Icon name="plus" />{say('addVideos')}</button>;
  return (
    <section aria-labelledby="library-title">
      <div className="page-head">
        <h1 id="library-title">{say('library')}</h1>
        {total !== null && <p className="soft count">{say('videoCount', { count: total })}</p>}
        <div className="page-head-end">{add}</div>
      </div>
      <Filters asked={asked} ask={ask} />
      {isPending && <Skeleton />}
      {error && !videos.length && <Failed problem={error} onRetry={() => void refetch()} />}
      {!isPending && !error && !videos.length && (isFiltered
        ? <State icon="filter" title={say('noneMatch')} why={say('noneMatchWhy')}><button type="button" className="button" onClick={() => ask({ status: '', language: '', title: '' })}>{say('clearFilters')}</button></State>
        : <State icon="film" title={say('emptyLibrary')} why={say('emptyLibraryWhy')}>{add}</State>)}
      {videos.length > 0 && <Grid videos={videos} label={say('library')} hasMore={hasNextPage} onNearEnd={more} />}
      {isFetchingNextPage && <p className="page-loading" role="status">{say('loading')}</p>}
    </section>
  );
}

/** Shown only when loading takes long enough to be noticed. */
function Skeleton() {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setSlow(true), 200);
    return () => window.clearTimeout(timer);
  }, []);
  if (!isSlow) return null;
  return <div className="skeleton" aria-hidden="true">{Array.from({ length: 8 }, (_, place) => <div key={place}><div className="poster" /><div className="bar" /><div className="bar short" /></div>)}</div>;
}
