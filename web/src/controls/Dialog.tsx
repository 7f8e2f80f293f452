// A question in the way of everything else.
import { useEffect, useId, useRef, type FormEvent, type ReactNode } from 'react';
import { useWords } from '../text/words';

interface Props {
  title: string;
  children: ReactNode;
  yes: string;
  no?: string;
  isDangerous?: boolean;
  isBusy?: boolean;
  problem?: string;
  onYes: () => void;
  onClose: () => void;
}

export function Dialog({ title, children, yes, no, isDangerous, isBusy, problem, onYes, onClose }: Props) {
  const { say } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const node = dialog.current;
    const cameFrom = document.activeElement as HTMLElement | null;
    node?.showModal();
    return () => { node?.close(); cameFrom?.focus?.(); };
  }, []);

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (!isBusy) onYes();
  }

  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <form onSubmit={submit}>
        <h2 id={id}>{title}</h2>
        <div className="dialog-content">{children}</div>
        <p className="problem" role="alert">{problem}</p>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>{no ?? say('cancel')}</button>
          <button type="submit" className={isDangerous ? 'button strong danger' : 'button strong'} disabled={isBusy}>{yes}</button>
        </div>
      </form>
    </dialog>
  );
}
