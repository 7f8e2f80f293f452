// What can be done with a video, with the questions that come before it.
import { useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { api, body } from '../api/client';
import { isMoving, type Video } from '../api/shapes';
import { Dialog } from '../controls/Dialog';
import type { MenuItem } from '../controls/Menu';
import { announce } from '../controls/notices';
import { dropVideo, fetchVideo, patchVideo } from '../live/library';
import { useWords } from '../text/words';
import { LANGUAGES, MODELS } from './choices';

type Question = 'delete' | 'rename' | 'reprocess';

export interface Deeds {
  groups: MenuItem[][];
  dialogs: ReactNode;
  stop: (() => void) | null;
  again: (() => void) | null;
}

export function useDeeds(video: Video | undefined, onDeleted?: () => void): Deeds {
  const { say, problem } = useWords();
  const client = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  if (!video) return { groups: [], dialogs: null, stop: null, again: null };
  const id = video.video_id;
  const path = { params: { path: { video_id: id } } };

  const run = (work: () => Promise<unknown>) => () => void work().then(() => fetchVideo(client, id)).catch((failed) => announce(problem(failed)));
  const stop = run(() => body(api.POST('/api/videos/{video_id}/cancel', path)));
  const again = run(() => body(api.POST('/api/videos/{video_id}/reprocess', { ...path, body: {} })));
  const hasFile = !['UPLOADING', 'EXPIRED', 'DELETING'].includes(video.status) && !(video.status === 'CANCELED' && !video.duration);
  const canStop = isMoving(video);
  const close = () => setQuestion(null);

  const groups: MenuItem[][] = [
    [
      ...(canStop ? [{ text: say('cancelWork'), icon: 'close', onChoose: stop } as MenuItem] : []),
      ...(hasFile && !canStop ? [{ text: say('reprocessIn'), icon: 'retry', onChoose: () => setQuestion('reprocess') } as MenuItem] : []),
      { text: say('rename'), onChoose: () => setQuestion('rename') },
    ],
    [{ text: say('delete'), isDangerous: true, onChoose: () => setQuestion('delete') }],
  ];
  const deleted = () => { close(); dropVideo(client, id); announce(say('deleted', { title: video.title })); onDeleted?.(); };
  const dialogs = (
    <>
      {question === 'delete' && <DeleteDialog video={video} onClose={close} onDeleted={deleted} />}
      {question === 'rename' && <RenameDialog video={video} onClose={close} onRenamed={(title) => { close(); patchVideo(client, id, { title }); }} />}
      {question === 'reprocess' && <ReprocessDialog video={video} onClose={close} onBegun={() => { close(); announce(say('asked')); void fetchVideo(client, id); }} />}
    </>
  );
  const isStuck = video.status === 'FAILED' || video.status === 'CANCELED';
  return { groups, dialogs, stop: canStop ? stop : null, again: hasFile && isStuck ? again : null };
}

/** Runs `work`, keeps its problem for the dialog, and tells whether it is under way. */
function useWork(work: () => Promise<void>) {
  const { problem: explained } = useWords();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  async function run(): Promise<void> {
    setBusy(true);
    setProblem('');
    await work().catch((failed) => { setProblem(explained(failed)); setBusy(false); });
  }
  return { isBusy, problem, onYes: () => void run() };
}

function DeleteDialog({ video, onClose, onDeleted }: { video: Video; onClose: () => void; onDeleted: () => void }) {
  const { say } = useWords();
  const path = { params: { path: { video_id: video.video_id } } };
  const work = useWork(async () => {
    // Of an upload, storage is free at once; a file that has just arrived goes with its video.
    if (video.status === 'UPLOADING') await body(api.DELETE('/api/videos/{video_id}/upload', path)).catch(() => {});
    await body(api.DELETE('/api/videos/{video_id}', path));
    onDeleted();
  });
  return (
    <Dialog title={say('deleteSure', { title: video.title })} yes={say('delete')} isDangerous onClose={onClose} {...work}>
      <p>{say('deleteWarning')}</p>
    </Dialog>
  );
}

function RenameDialog({ video, onClose, onRenamed }: { video: Video; onClose: () => void; onRenamed: (title: string) => void }) {
  const { say } = useWords();
  const [title, setTitle] = useState(video.title);
  const work = useWork(async () => {
    const call = api.PATCH('/api/videos/{video_id}', { params: { path: { video_id: video.video_id } }, body: { title } });
    onRenamed((await body(call)).title);
  });
  return (
    <Dialog title={say('rename')} yes={say('save')} onClose={onClose} {...work}>
      <label className="labeled">{say('renameTitle')}
        <input className="field" value={title} maxLength={500} required autoFocus onChange={({ target }) => setTitle(target.value)} />
      </label>
    </Dialog>
  );
}

function ReprocessDialog({ video, onClose, onBegun }: { video: Video; onClose: () => void; onBegun: () => void }) {
  const { say, languageName } = useWords();
  const [language, setLanguage] = useState(video.language ?? '');
  const [model, setModel] = useState('');
  const work = useWork(async () => {
    const options = { ...(language && { language }), ...(model && { model }) };
    await body(api.POST('/api/videos/{video_id}/reprocess', { params: { path: { video_id: video.video_id } }, body: { options } }));
    onBegun();
  });
  return (
    <Dialog title={say('reprocessTitle', { title: video.title })} yes={say('begin')} onClose={onClose} {...work}>
      <p className="soft">{say('reprocessWhy')}</p>
      <label className="labeled">{say('spokenLanguage')}
        <select className="field" value={language} onChange={({ target }) => setLanguage(target.value)}>
          <option value="">{say('detect')}</option>
          {LANGUAGES.map((tag) => <option key={tag} value={tag}>{languageName(tag)}</option>)}
        </select>
      </label>
      <label className="labeled">{say('model')}
        <select className="field" value={model} onChange={({ target }) => setModel(target.value)}>
          {MODELS.map(([value, text]) => <option key={value} value={value}>{say(text)}</option>)}
        </select>
      </label>
    </Dialog>
  );
}
