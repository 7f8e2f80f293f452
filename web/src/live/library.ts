// What is heard or done is put into every list and page that shows the video.
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { api, body } from '../api/client';
import { Problem } from '../api/problem';
import type { Video, VideoEvent, VideoPage, VideoStatus, WholeVideo } from '../api/shapes';

type Pages = InfiniteData<VideoPage, string | null>;
export type ListParameters = Partial<Record<'sort' | 'status' | 'language' | 'title', string>>;

const LISTS = ['videos'] as const;
const ENDED = new Set(['COMPLETED', 'FAILED', 'CANCELED']);

export const videoKey = (id: string) => ['video', id] as const;
export const listKey = (parameters: ListParameters) => [...LISTS, parameters] as const;

/** Numbers of the newest event that each video is shown by, so that an answer that was overtaken changes nothing. */
const newest = new Map<string, number>();
/** Removed videos never come back, whatever is still said of them. */
const gone = new Set<string>();

export function knownVideos(client: QueryClient): Map<string, Video> {
  const lists = client.getQueriesData<Pages>({ queryKey: LISTS });
  return new Map(lists.flatMap(([, data]) => data?.pages ?? []).flatMap((page) => page.videos).map((video) => [video.video_id, video]));
}

export function patchVideo(client: QueryClient, id: string, change: Partial<Video>): void {
  const patch = <V extends Video>(video: V): V => ({ ...video, ...change });
  client.setQueryData<WholeVideo>(videoKey(id), (video) => video && patch(video));
  client.setQueriesData<Pages>({ queryKey: LISTS }, (data) => data && mapPage(data, id, (videos) =>
    videos.map((video) => (video.video_id === id ? patch(video) : video))));
}

export function dropVideo(client: QueryClient, id: string): void {
  gone.add(id);
  client.setQueriesData<Pages>({ queryKey: LISTS }, (data) => data && mapPage(data, id, (videos) =>
    videos.filter((video) => video.video_id !== id), -1));
  client.removeQueries({ queryKey: videoKey(id) });
}

/** Only the page that holds the video becomes another object, so that a list of thousands is not drawn anew. */
function mapPage(data: Pages, id: string, change: (videos: Video[]) => Video[], more = 0): Pages {
  const at = data.pages.findIndex((page) => page.videos.some((video) => video.video_id === id));
  const page = data.pages[at];
  if (!page) return data;
  const pages = [...data.pages];
  pages[at] = { ...page, videos: change(page.videos) };
  if (more) pages[0] = counted(pages[0]!, more);
  return { ...data, pages };
}

function counted(page: VideoPage, more: number): VideoPage {
  return typeof page.total === 'number' ? { ...page, total: page.total + more } : page;
}

/** A video that has just come: on top of the lists that show the newest first, as the others do not say where it belongs. */
export async function fetchVideo(client: QueryClient, id: string): Promise<void> {
  const heard = newest.get(id);
  try {
    const asked = await body(api.GET('/api/videos/{video_id}', { params: { path: { video_id: id } } }));
    if (gone.has(id)) return;
    const whole = newest.get(id) === heard ? asked : { ...asked, ...standing(client, id) };
    client.setQueryData(videoKey(id), whole);
    patchVideo(client, id, whole);
    if (!knownVideos(client).has(id)) addOnTop(client, whole);
  } catch (problem) {
    if (problem instanceof Problem && problem.status === 404) dropVideo(client, id);
  }
}

/** How the video stands by its newest event: an answer that was asked for before that is older. */
function standing(client: QueryClient, id: string): Partial<Video> {
  const known = knownVideos(client).get(id) ?? client.getQueryData<WholeVideo>(videoKey(id));
  if (!known) return {};
  const { status, progress, step, error, updated_at } = known;
  return { status, progress, step, error, updated_at };
}

function addOnTop(client: QueryClient, video: Video): void {
  for (const [key, data] of client.getQueriesData<Pages>({ queryKey: LISTS })) {
    const { sort = 'newest', ...filters } = (key[1] ?? {}) as ListParameters;
    const [first, ...rest] = data?.pages ?? [];
    if (data && first && sort === 'newest' && !Object.values(filters).some(Boolean)) {
      client.setQueryData<Pages>(key, { ...data, pages: [counted({ ...first, videos: [video, ...first.videos] }, 1), ...rest] });
    } else void client.invalidateQueries({ queryKey: key });
  }
}

/** What an event of all videos says of this one's wait: progress alone says nothing. */
function waiting(event: VideoEvent | VideoStatus): Partial<VideoStatus> {
  if (!('kind' in event) || event.kind === 'status' || event.kind === 'title') return {};
  return { waiting_for: event.kind === 'waiting' ? 'quota' : null };
}

export function hear(client: QueryClient, event: VideoEvent | VideoStatus): void {
  const { video_id: id, status, progress, step, error, updated_at } = event;
  if (event.event_id < (newest.get(id) ?? 0)) return;
  newest.set(id, event.event_id);
  if (status === 'DELETING') return dropVideo(client, id);
  if (gone.has(id)) return;
  const before = knownVideos(client).get(id) ?? client.getQueryData<WholeVideo>(videoKey(id));
  patchVideo(client, id, { status, progress, step, error, updated_at });
  client.setQueryData<VideoStatus>(['status', id], (old) => old && { ...old, ...event, ...waiting(event) });
  const isNews = !before || before.status !== status || ('kind' in event && event.kind === 'title');
  if (!isNews) return;
  // What an event does not tell (title, length, language, poster) is asked for when it may have changed.
  void fetchVideo(client, id);
  if (!before || !ENDED.has(status)) return;
  for (const about of ['transcript', 'captions', 'media']) void client.invalidateQueries({ queryKey: [about, id] });
}
