// What stands where there is nothing else to show: loading, empty, failed.
import type { ReactNode } from 'react';
import { useWords } from '../text/words';
import { Icon, type IconName } from './Icon';

interface Props {
  icon: IconName;
  title: string;
  why?: string;
  children?: ReactNode;
  isProblem?: boolean;
}

export function State({ icon, title, why, children, isProblem = false }: Props) {
  return (
    <div className="empty" role={isProblem ? 'alert' : undefined}>
      <span className="empty-icon"><Icon name={icon} size={28} /></span>
      <h2>{title}</h2>
      {why && <p>{why}</p>}
      {children && <div className="empty-buttons">{children}</div>}
    </div>
  );
}

export function Failed({ problem, onRetry, title }: { problem: unknown; onRetry?: () => void; title?: string }) {
  const { say, problem: explained } = useWords();
  const sentence = explained(problem);
  return (
    <State icon="alert" title={title ?? sentence} why={title ? sentence : undefined} isProblem>
      {onRetry && <button type="button" className="button" onClick={onRetry}>{say('tryAgain')}</button>}
    </State>
  );
}
