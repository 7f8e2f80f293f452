// Files are taken wherever they are dropped; the engine that sends them is loaded when there are some.
import { useQueryClient } from '@tanstack/react-query';
import { createContext, lazy, Suspense, useContext, useEffect, useRef, useState, type DragEvent, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { Icon } from '../controls/Icon';
import { dropVideo, fetchVideo } from '../live/library';
import { useWords } from '../text/words';
import { keptUploads } from './kept';
import { useUploads } from './tray';

const Tray = lazy(() => import('./Tray'));
const TAKEN = 'video/*,audio/*,.mp4,.mov,.avi,.mkv,.webm,.m4v,.mp3,.wav,.m4a,.flac';
const Choose = createContext<() => void>(() => {});

export const useChooseFiles = () => useContext(Choose);

const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');

export function DropZone({ children }: { children: ReactNode }) {
  const { say } = useWords();
  const client = useQueryClient();
  const [path, navigate] = useLocation();
  const [isOver, setOver] = useState(false);
  const uploads = useUploads();
  const input = useRef<HTMLInputElement>(null);

  async function engine() {
    const loaded = await import('./engine');
    loaded.whenUploaded((id) => void fetchVideo(client, id), (id) => dropVideo(client, id));
    return loaded;
  }

  async function add(files: File[]): Promise<void> {
    if (!files.length) return;
    if (path !== '/') navigate('/'); // where the videos are seen
    (await engine()).addFiles(files);
  }

  useEffect(() => {
    void keptUploads().then(async (kept) => { if (kept.length) await (await engine()).restoreUploads(); });
  }, []);

  function drop(event: DragEvent): void {
    if (!hasFiles(event)) return;
    event.preventDefault();
    setOver(false);
    void add([...event.dataTransfer.files]);
  }

  return (
    <Choose value={() => input.current?.click()}>
      <div className="drop-zone"
        onDragOver={(event) => { if (hasFiles(event)) { event.preventDefault(); setOver(true); } }}
        onDragLeave={({ currentTarget, relatedTarget }) => { if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false); }}
        onDrop={drop}>
        {children}
        <input ref={input} id="files" className="unseen" type="file" multiple tabIndex={-1} aria-label={say('addVideos')} accept={TAKEN}
          onChange={({ target }) => { void add([...(target.files ?? [])]); target.value = ''; }} />
        {isOver && <div className="drop-here"><div><Icon name="upload" size={40} /><p>{say('dropHere')}</p><p className="small">{say('dropFormats')}</p></div></div>}
        {uploads.length > 0 && <Suspense><Tray /></Suspense>}
      </div>
    </Choose>
  );
}
