// How far a video is that is not ready; what failed says why, and what to do.
import { useQuery } from '@tanstack/react-query';
import { api, body } from '../api/client';
import { isMoving, type Video } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { Stages } from '../library/Stages';
import { useWords } from '../text/words';

const ASK_MS = 5000;

interface Props {
  video: Video;
  stop: (() => void) | null;
  again: (() => void) | null;
}

export function Standing({ video, stop, again }: Props) {
  const { say, span, failure } = useWords();
  const isUnderWay = isMoving(video);
  const { data } = useQuery({
    queryKey: ['status', video.video_id],
    queryFn: ({ signal }) => body(api.GET('/api/videos/{video_id}/status', { params: { path: { video_id: video.video_id } }, signal })),
    enabled: isUnderWay,
    refetchInterval: ASK_MS, // what is left changes without an event
  });
  const more = !isUnderWay || !data ? null
    : data.waiting_for ? say('waitsForQuota')
    : data.queue_position ? say('queuePosition', { place: data.queue_position })
    : data.seconds_left ? say('timeLeft', { time: span(data.seconds_left) }) : null;
  return (
    <div className="standing" data-status={video.status}>
      <p className="standing-head">
        <strong>{video.status === 'FAILED' && <Icon name="alert" size={18} />}{say(video.status)}</strong>
        {isUnderWay && <span className="soft">{[`${video.progress} %`, more].filter(Boolean).join(' · ')}</span>}
        {stop && <button type="button" className="button small-button" onClick={stop}>{say('cancelWork')}</button>}
        {again && <button type="button" className="button strong small-button" onClick={again}>{say('reprocess')}</button>}
      </p>
      {isUnderWay && <Stages video={video} withNames />}
      {video.error && <p className="standing-why">{failure(video.error)}</p>}
      {video.status === 'UPLOADING' && <p className="standing-why">{say('interruptedWhy', { name: video.file_name })}</p>}
    </div>
  );
}
