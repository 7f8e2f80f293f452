import type { Video } from '../api/shapes';
import { Icon } from '../controls/Icon';
import { Menu, type MenuItem } from '../controls/Menu';
import { announce } from '../controls/notices';
import { clock, useWords } from '../text/words';
import { RATES, usePlayback, type Playback } from './playback';

const FORMATS = ['srt', 'vtt', 'txt', 'json'] as const;

interface Props {
  video: Video;
  playback: Playback;
  hasTranscript: boolean;
  groups: MenuItem[][];
}

export function Actions({ video, playback, hasTranscript, groups }: Props) {
  const { say } = useWords();
  const rate = usePlayback(playback, (seen) => seen.rate);
  const { video_id: id, title } = video;
  const download = (format: string) => {
    const link = document.createElement('a');
    link.href = `/api/videos/${id}/transcript?format=${format}`;
    link.download = `${title}.${format}`;
    link.click();
  };
  return (
    <div className="actions">
      <LinkButton id={id} playback={playback} />
      {hasTranscript && (
        <Menu label={say('download')} className="button" groups={[FORMATS.map((format) => ({ text: say('downloadAs', { format: format.toUpperCase() }), onChoose: () => download(format) }))]}>
          <Icon name="download" size={18} />{say('download')}
        </Menu>
      )}
      <label className="rate"><span className="unseen">{say('playbackSpeed')}</span>
        <select className="field" value={rate} onChange={({ target }) => playback.setRate(Number(target.value))}>
          {[...new Set([...RATES, rate])].sort((a, b) => a - b).map((one) => <option key={one} value={one}>{one}×</option>)}
        </select>
      </label>
      <Menu label={say('moreFor', { title })} groups={groups} className="button square" />
      <p className="keys soft small">{say('keysHelp')}</p>
    </div>
  );
}

function LinkButton({ id, playback }: { id: string; playback: Playback }) {
  const { say } = useWords();
  const second = usePlayback(playback, ({ time }) => Math.floor(time));
  async function copy(): Promise<void> {
    const time = Math.round(playback.seen().time * 10) / 10;
    try {
      await navigator.clipboard.writeText(`${location.origin}/videos/${id}?t=${time}`);
      announce(say('copied'));
    } catch {
      announce(say('copyFailed'));
    }
  }
  return <button type="button" className="button" onClick={() => void copy()}><Icon name="link" size={18} /><span className="tabular">{say('copyLink', { time: clock(second) })}</span></button>;
}
