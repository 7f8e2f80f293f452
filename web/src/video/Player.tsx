// The browser's own player. What it can't show it lets hear, with the poster in the picture's place.
import './player.css';
import { useEffect, useRef, useState, type ReactEventHandler } from 'react';
import type { Media } from '../api/shapes';
import { Failed } from '../controls/State';
import { useWords } from '../text/words';
import type { Playback } from './playback';
import { useCaptions, useMedia } from './useMedia';

interface Props {
  id: string;
  title: string;
  mimeType?: string | null;
  language?: string | null;
  posterUrl?: string | null;
  hasTranscript: boolean;
  playback: Playback;
  /** Where playing begins, in seconds. */
  start: number;
  autoPlay?: boolean;
}

export function Player(props: Props) {
  const media = useMedia(props.id);
  if (media.data) return <Screen {...props} media={media.data} refresh={async () => (await media.refetch()).data} />;
  return <div className="screen">{media.error && <Failed problem={media.error} onRetry={() => void media.refetch()} />}</div>;
}

/** Films that this browser says it can't play, of kinds that it does not play after all: others are tried. */
function isHopeless(mimeType: string | null | undefined): boolean {
  return Boolean(mimeType && /avi|msvideo|x-flv|mpeg$/.test(mimeType) && !document.createElement('video').canPlayType(mimeType));
}

function Screen({ id, title, mimeType, language, posterUrl, hasTranscript, playback, start, autoPlay, media: first, refresh }: Props & { media: Media; refresh: () => Promise<Media | undefined> }) {
  const { say } = useWords();
  const [media, setMedia] = useState(first); // a list that is fetched again must not interrupt
  const [isSound, setSound] = useState(() => Boolean(first.audio) && (isHopeless(mimeType) || Boolean(mimeType?.startsWith('audio/'))));
  const [isDead, setDead] = useState(false);
  const begun = useRef({ time: start, play: Boolean(autoPlay) });
  const captions = useCaptions(id, hasTranscript);
  const isFilm = !mimeType?.startsWith('audio/');
  const source = isSound && media.audio ? media.audio : media.video;

  useEffect(() => { playback.seek(begun.current.time, begun.current.play); }, [playback, source.url]);

  /** An address that has run out is asked for again; a picture that can't be shown gives way to the sound. */
  const onError: ReactEventHandler<HTMLVideoElement> = async ({ currentTarget: player }) => {
    if (!player.currentSrc && !player.src) return;
    begun.current = { time: player.currentTime || begun.current.time, play: !player.paused || begun.current.play };
    if (Date.parse(source.expires_at) < Date.now()) {
      const fresh = await refresh();
      if (fresh) setMedia(fresh);
    } else if (!isSound && media.audio) setSound(true);
    else setDead(true);
  };
  /** Some files have a sound that plays and a picture that does not. */
  const onMetadata: ReactEventHandler<HTMLVideoElement> = ({ currentTarget: player }) => {
    if (isSound || !isFilm || player.videoWidth || !media.audio) return;
    begun.current = { time: player.currentTime, play: !player.paused };
    setSound(true);
  };

  return (
    <div className="screen" data-sound={isSound || undefined}>
      <video ref={playback.attach} src={source.url} controls playsInline preload="metadata" poster={posterUrl ?? undefined} aria-label={`${say('player')}: ${title}`}
        onError={(event) => void onError(event)} onLoadedMetadata={onMetadata}>
        {captions && <track kind="captions" src={captions} srcLang={language ?? 'und'} label={say('captions')} />}
      </video>
      {isSound && isFilm && !isDead && <p className="screen-note">{say('soundOnly')}</p>}
      {isDead && <p className="screen-note problem" role="alert">{say('cannotPlay')}</p>}
    </div>
  );
}
