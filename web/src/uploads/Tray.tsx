import './tray.css';
import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { Dialog } from '../controls/Dialog';
import { Icon, type IconName } from '../controls/Icon';
import { announce } from '../controls/notices';
import { useWords } from '../text/words';
import { cancelUpload, dismissDone, dismissUpload, pauseUpload, resumeUpload } from './engine';
import { useUploads, type Phase, type UploadView } from './tray';

const ACTIVE = new Set<Phase>(['waiting', 'preparing', 'sending', 'checking']);

const SEEN_MS = 10_000; // what has arrived is seen in the library

export default function Tray() {
  const { say } = useWords();
  const uploads = useUploads();
  const [isOpen, setOpen] = useState(true);
  const active = uploads.filter(({ phase }) => ACTIVE.has(phase));
  const stopped = uploads.length - active.length - uploads.filter(({ phase }) => phase === 'done').length;
  const [sent, size] = [active.reduce((sum, one) => sum + one.sent, 0), active.reduce((sum, one) => sum + one.size, 0)];
  const isDone = !active.length && !stopped;
  useEffect(() => {
    if (!isDone) return;
    const timer = window.setTimeout(dismissDone, SEEN_MS);
    return () => window.clearTimeout(timer);
  }, [isDone, uploads.length]);
  const percent = Math.floor((100 * sent) / Math.max(1, size));
  const title = active.length ? say('uploadsUnderWay', { count: active.length, percent })
    : stopped ? say('uploadsStopped', { count: stopped }) : say('uploadsDone', { count: uploads.length });
  return (
    <section className="tray" aria-label={say('uploads')}>
      <div className="tray-head">
        <h2>{title}</h2>
        {isDone && <button type="button" className="button quiet square" aria-label={say('clearDone')} title={say('clearDone')} onClick={dismissDone}><Icon name="close" size={18} /></button>}
        <button type="button" className="button quiet square" aria-expanded={isOpen} aria-label={say(isOpen ? 'collapse' : 'expand')} onClick={() => setOpen(!isOpen)}><Icon name={isOpen ? 'down' : 'up'} size={18} /></button>
      </div>
      {isOpen && <ul className="tray-list" tabIndex={0} aria-label={say('uploads')}>{uploads.map((upload) => <Row key={upload.key} upload={upload} />)}</ul>}
    </section>
  );
}

function Row({ upload }: { upload: UploadView }) {
  const { say, bytes, span, problem } = useWords();
  const { key, name, size, phase, sent, speed, told, videoId } = upload;
  const [isAsking, setAsking] = useState(false);
  const trouble = told && ('text' in told ? say(told.text, told.values) : problem(told.problem));
  useEffect(() => { if (trouble) announce(`${name}: ${trouble}`, { isSeen: false }); }, [name, trouble]);
  useEffect(() => { if (phase === 'done') announce(`${name}: ${say('arrived')}`, { isSeen: false }); }, [name, phase, say]);

  const moving = [say('sent', { sent: bytes(sent), size: bytes(size) })];
  if (speed && !trouble) moving.push(say('speed', { speed: bytes(speed) }), say('left', { time: span((size - sent) / speed) }));
  const facts = { waiting: say('waiting'), preparing: say('preparing'), sending: moving.join(' · '), paused: `${say('paused')} · ${moving[0]}`, checking: say('checking'), done: `${say('arrived')} · ${bytes(size)}`, failed: say('FAILED') }[phase];
  const cancel = () => { if (videoId || phase === 'sending') setAsking(true); else cancelUpload(key); };
  return (
    <li className="upload" data-phase={phase}>
      <div className="upload-text">
        <p className="upload-name" title={name}>{phase === 'done' && videoId ? <Link href={`/videos/${videoId}`} aria-label={say('openOf', { name })}>{name}</Link> : name}</p>
        {phase !== 'done' && phase !== 'failed' && <progress max={size} value={sent} aria-label={say('progressOf', { title: name })} />}
        <p className="upload-facts">{facts}</p>
        {trouble && <p className={phase === 'failed' ? 'problem' : 'hint'}>{trouble}</p>}
        {!trouble && phase === 'sending' && upload.goesOn && <p className="upload-facts">{say('goesOn')}</p>}
      </div>
      <div className="upload-buttons">
        {(phase === 'sending' || phase === 'waiting') && <Act icon="pause" label={say('pauseOf', { name })} title={say('pause')} onClick={() => pauseUpload(key)} />}
        {phase === 'paused' && <Act icon="play" label={say('resumeOf', { name })} title={say('resume')} onClick={() => resumeUpload(key)} />}
        {phase === 'failed' && <Act icon="retry" label={say('retryOf', { name })} title={say('retry')} onClick={() => resumeUpload(key)} />}
        {phase === 'done' || phase === 'failed'
          ? <Act icon="close" label={say('dismissOf', { name })} title={say('dismiss')} onClick={() => dismissUpload(key)} />
          : <Act icon="close" label={say('cancelOf', { name })} title={say('cancel')} onClick={cancel} />}
      </div>
      {isAsking && (
        <Dialog title={say('cancelUploadSure', { name })} yes={say('stopUploading')} no={say('keepUploading')} isDangerous onClose={() => setAsking(false)} onYes={() => cancelUpload(key)}>
          <p>{say('cancelUploadWarning')}</p>
        </Dialog>
      )}
    </li>
  );
}

function Act({ icon, label, title, onClick }: { icon: IconName; label: string; title: string; onClick: () => void }) {
  return <button type="button" className="button quiet square" aria-label={label} title={title} onClick={onClick}><Icon name={icon} size={18} /></button>;
}
