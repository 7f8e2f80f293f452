import './video.css';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { api, body } from '../api/client';
import { Problem } from '../api/problem';
import { isMoving, type Sentence, type WholeVideo } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { useKeys } from '../controls/useKeys';
import { Failed } from '../controls/State';
import { useDeeds } from '../library/useDeeds';
import { videoKey } from '../live/library';
import { NotFound } from '../shell/NotFound';
import { clock, useWords } from '../text/words';
import { Actions } from './Actions';
import { InsideSearch } from './InsideSearch';
import { Playback } from './playback';
import { Player } from './Player';
import { Standing } from './Standing';
import { Timeline } from './Timeline';
import { Transcript } from './Transcript';
import { useHits } from './useHits';
import { useTranscript } from './useTranscript';

const NONE: Sentence[] = [];
const GONE = new Set([404, 422]);

export default function VideoPage({ id }: { id: string }) {
  const { say } = useWords();
  const { data: video, error, refetch } = useQuery({
    queryKey: videoKey(id),
    queryFn: ({ signal }) => body(api.GET('/api/videos/{video_id}', { params: { path: { video_id: id } }, signal })),
  });
  const [parameters] = useSearchParams();
  useEffect(() => { if (video) document.title = `${video.title} – biblio`; }, [video]);
  if (error instanceof Problem && GONE.has(error.status)) return <NotFound />;
  if (error && !video) return <Failed problem={error} onRetry={() => void refetch()} />;
  if (!video) return <p className="page-loading" role="status">{say('loading')}</p>;
  return <Whole video={video} start={Number(parameters.get('t')) || 0} query={parameters.get('q') ?? ''} />;
}

function Whole({ video, start, query }: { video: WholeVideo; start: number; query: string }) {
  const { say, date, languageName, bytes } = useWords();
  const { video_id: id, title, status } = video;
  const [, navigate] = useLocation();
  const playback = useMemo(() => new Playback(), []);
  const deeds = useDeeds(video, () => navigate('/'));
  const hasTranscript = status === 'COMPLETED' || Boolean(video.script);
  const transcript = useTranscript(id, hasTranscript);
  const sentences = transcript.data ?? NONE;
  const [text, setText] = useState(query);
  const [place, setPlace] = useState(0);
  const hits = useHits(id, sentences, text);
  const field = useRef<HTMLInputElement>(null);
  const [isLooking, setLooking] = useState(false);
  const shown = isLooking ? (hits.places[place % Math.max(1, hits.places.length)] ?? null) : null;
  const times = useMemo(() => hits.places.map((one) => sentences[one]?.start_time ?? 0), [hits.places, sentences]);

  const begun = useRef(start);
  useEffect(() => {
    if (begun.current === start) return;
    begun.current = start;
    playback.seek(start, true);
  }, [start, playback]);
  useKeys((event) => pressed(event, playback, () => { field.current?.focus(); field.current?.select(); }));

  const look = (next: number) => {
    const count = hits.places.length;
    if (!count) return;
    const to = (next + count) % count;
    setPlace(to);
    setLooking(true);
    playback.seek(times[to] ?? 0);
  };
  const similar = useCallback((time: number) => navigate(`/search?${new URLSearchParams({ like: id, t: String(time) })}`), [id, navigate]);
  const facts = [video.duration && clock(video.duration), video.language && languageName(video.language), bytes(video.file_size), say('added', { date: date(video.created_at) })];
  const isThere = !['UPLOADING', 'EXPIRED'].includes(status) && !(status === 'CANCELED' && !video.duration);
  return (
    <div className="watch">
      <div className="watch-main">
        <Link className="back" href="/"><Icon name="left" size={18} />{say('library')}</Link>
        {isThere
          ? <Player id={id} title={title} mimeType={video.mime_type} language={video.language} posterUrl={video.poster_url} hasTranscript={hasTranscript} playback={playback} start={start} autoPlay={start > 0} />
          : <div className="screen"><p className="screen-note">{say('notPlayable')}</p></div>}
        <Timeline playback={playback} length={video.duration ?? 0} hits={times} />
        <h1 className="watch-title">{title}</h1>
        <p className="soft watch-facts">{facts.filter(Boolean).map(String).map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · ')}</p>
        {(status !== 'COMPLETED') && <Standing video={video} stop={deeds.stop} again={deeds.again} />}
        <Actions video={video} playback={playback} hasTranscript={hasTranscript} groups={deeds.groups} />
        {deeds.dialogs}
      </div>
      <section className="watch-side" aria-label={say('transcript')}>
        <InsideSearch field={field} text={text} hits={hits} place={isLooking ? place : -1} isThere={sentences.length > 0} onType={(next) => { setText(next); setPlace(0); setLooking(false); }} onLook={look} />
        {sentences.length > 0 && <Transcript sentences={sentences} playback={playback} marks={hits.marks} shown={shown} onSimilar={similar} />}
        {transcript.isLoading && <p className="side-note" role="status">{say('loading')}</p>}
        {transcript.data && !sentences.length && <p className="side-note">{say('noSpeech')}</p>}
        {transcript.error && <Failed problem={transcript.error} onRetry={() => void transcript.refetch()} />}
        {!hasTranscript && <p className="side-note">{say(isMoving(video) ? 'noTranscript' : 'withoutTranscript')}</p>}
      </section>
    </div>
  );
}

/** Keys as in other players. True: it was one of ours. */
function pressed({ key, target }: KeyboardEvent, playback: Playback, search: () => void): boolean {
  const at = target as Element;
  if (key === ' ' && at.closest('button, a, summary')) return false;
  if (key.startsWith('Arrow') && at.closest('input')) return false;
  const deeds: Record<string, () => void> = {
    ' ': playback.toggle, k: playback.toggle, j: () => playback.move(-10), l: () => playback.move(10),
    ArrowLeft: () => playback.move(-5), ArrowRight: () => playback.move(5), '<': () => playback.changeRate(-1), '>': () => playback.changeRate(1), '/': search,
  };
  const deed = deeds[key.length === 1 ? key.toLowerCase() : key];
  deed?.();
  return Boolean(deed);
}
