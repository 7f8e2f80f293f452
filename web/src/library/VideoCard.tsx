import { memo } from 'react';
import { Link } from 'wouter';
import { isMoving, type Video } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { Menu } from '../controls/Menu';
import { useWords } from '../text/words';
import { useUploading } from '../uploads/tray';
import { Poster } from './Poster';
import { Stages } from './Stages';
import { useDeeds } from './useDeeds';

const WITHOUT_PAGE = new Set(['UPLOADING', 'EXPIRED', 'DELETING']);

export const VideoCard = memo(function VideoCard({ video }: { video: Video }) {
  const { say, date, languageName } = useWords();
  const { groups, dialogs, again } = useDeeds(video);
  const { title, status } = video;
  const facts = [date(video.created_at), video.language && languageName(video.language)].filter(Boolean);
  const content = <><Poster {...video} /><span className="card-title" title={title}>{title}</span></>;
  return (
    <article className="card" data-id={video.video_id} data-status={status}>
      {WITHOUT_PAGE.has(status) ? <div className="card-link">{content}</div> : <Link className="card-link" href={`/videos/${video.video_id}`}>{content}</Link>}
      <div className="card-line">
        <p className="card-facts">{facts.join(' · ')}</p>
        <Menu label={say('moreFor', { title })} groups={groups} />
      </div>
      {status !== 'COMPLETED' && <div className="card-over"><div className="card-status"><Standing video={video} again={again} /></div></div>}
      {dialogs}
    </article>
  );
});

function Standing({ video, again }: { video: Video; again: (() => void) | null }) {
  const { say, failure } = useWords();
  const isUploading = useUploading(video.video_id);
  if (isMoving(video)) {
    return <><Stages video={video} /><p className="card-state"><span>{say(video.status)}</span><span>{video.progress} %</span></p></>;
  }
  if (video.status === 'UPLOADING' && !isUploading) {
    const why = say('interruptedWhy', { name: video.file_name });
    return <p className="card-state" title={why}><span>{say('interrupted')}</span><span className="unseen">{why}</span></p>;
  }
  const why = video.error ? failure(video.error) : '';
  return (
    <>
      <p className="card-state" title={why}>
        <span>{video.status === 'FAILED' && <Icon name="alert" size={16} />}{say(video.status)}</span>
        {again && <button type="button" className="button small-button" onClick={again}>{say('reprocess')}</button>}
      </p>
      {why && <p className="card-problem" title={why}>{why}</p>}
    </>
  );
}
