import type { Video } from '../api/shapes';
import { useWords } from '../text/words';
import { STAGES, doneOf } from './progress';

/** A bar of four pieces, one a step. */
export function Stages({ video, withNames = false }: { video: Pick<Video, 'title' | 'status' | 'progress'>; withNames?: boolean }) {
  const { say } = useWords();
  const { title, status, progress } = video;
  return (
    <div className={withNames ? 'stages named' : 'stages'} role="progressbar" aria-label={say('progressOf', { title })} aria-valuenow={progress} aria-valuemin={0} aria-valuemax={100} aria-valuetext={`${say(status)} ${progress} %`}>
      {STAGES.map((stage) => (
        <div key={stage.status} className="stage" data-now={stage.status === status || undefined}>
          <span className="stage-bar"><span style={{ transform: `scaleX(${doneOf(stage, progress)})` }} /></span>
          {withNames && <span className="stage-name">{say(stage.name)}</span>}
        </div>
      ))}
    </div>
  );
}
