// Thousands of cards, of which only those in sight are drawn. All rows are of one height, so none is ever measured.
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Video } from '../api/shapes';
import { VideoCard } from './VideoCard';

const LEAST_WIDTH = 256;
const GAP = 24;
const ROW_GAP = 16;
const BELOW_POSTER = 90; // two lines of title, one of facts: see library.css
const AHEAD = 3; // rows

interface Props {
  videos: Video[];
  label: string;
  hasMore: boolean;
  onNearEnd: () => void;
}

export function Grid({ videos, label, hasMore, onNearEnd }: Props) {
  const grid = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const node = grid.current!;
    const look = () => { setWidth(node.clientWidth); setTop(node.getBoundingClientRect().top + window.scrollY); };
    const observer = new ResizeObserver(look);
    observer.observe(node);
    look();
    return () => observer.disconnect();
  }, []);

  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const cardWidth = (width - GAP * (columns - 1)) / columns;
  const rowHeight = Math.round((cardWidth * 9) / 16 + BELOW_POSTER);
  const rows = Math.ceil(videos.length / columns);
  const virtual = useWindowVirtualizer({ count: width ? rows : 0, estimateSize: () => rowHeight + ROW_GAP, overscan: 2, scrollMargin: top });
  useLayoutEffect(() => { virtual.measure(); }, [virtual, rowHeight, columns]);

  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => { if (hasMore && last >= rows - AHEAD) onNearEnd(); }, [hasMore, last, rows, onNearEnd]);

  return (
    <div ref={grid} className="grid" role="list" aria-label={label} style={{ height: virtual.getTotalSize() }}>
      {items.map((row) => (
        <div key={row.key} role="presentation" className="grid-row" style={{ transform: `translateY(${row.start - top}px)`, height: rowHeight, gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
          {videos.slice(row.index * columns, (row.index + 1) * columns).map((video) => (
            <div role="listitem" className="grid-cell" key={video.video_id}><VideoCard video={video} /></div>
          ))}
        </div>
      ))}
    </div>
  );
}
