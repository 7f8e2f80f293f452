import { useEffect, useRef } from 'react';
import { announce, useNotice } from '../controls/notices';
import { useReached } from '../live/useLive';
import { useWords } from '../text/words';

/** Told while the server can't be reached, quietly; and once when it can again. */
export function Banner() {
  const { say } = useWords();
  const isReached = useReached();
  const wasLost = useRef(false);
  useEffect(() => {
    if (isReached && wasLost.current) announce(say('online'));
    wasLost.current = !isReached;
  }, [isReached, say]);
  return <div role="status" className="banner-place">{!isReached && <p className="banner">{say('offline')}</p>}</div>;
}

export function Notice() {
  const { sentence, isSeen } = useNotice();
  return <div role="status" className="notice-place">{sentence && <p className={isSeen ? 'notice' : 'unseen'}>{sentence}</p>}</div>;
}
