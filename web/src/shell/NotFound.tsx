import { Link } from 'wouter';
import { State } from '../controls/State';
import { useWords } from '../text/words';

export function NotFound() {
  const { say } = useWords();
  return (
    <State icon="film" title={say('notFound')} why={say('notFoundWhy')}>
      <Link className="button strong" href="/">{say('toLibrary')}</Link>
    </State>
  );
}
