// A button that opens a list of things to do, by mouse and by keys (WAI-ARIA's menu button).
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { Icon, type IconName } from './Icon';

export interface MenuItem {
  text: string;
  icon?: IconName;
  isDangerous?: boolean;
  isChosen?: boolean;
  onChoose: () => void;
}

interface Props {
  label: string;
  icon?: IconName;
  children?: ReactNode;
  groups: MenuItem[][];
  className?: string;
}

export function Menu({ label, icon = 'more', children, groups, className = 'button quiet square' }: Props) {
  const [isOpen, setOpen] = useState(false);
  const whole = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  useEffect(() => {
    if (!isOpen) return;
    list.current?.querySelector<HTMLElement>('button')?.focus();
    const outside = ({ target }: Event) => { if (!whole.current?.contains(target as Node)) setOpen(false); };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [isOpen]);

  function shut(): void {
    setOpen(false);
    whole.current?.querySelector('button')?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const items = [...(list.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Escape' && isOpen) shut();
    else if (event.key === 'Tab') return setOpen(false);
    else if (isOpen && to !== undefined) items.at(to % items.length)?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div className="menu" ref={whole} onKeyDown={onKeyDown}>
      <button type="button" className={className} aria-haspopup="menu" aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} aria-label={label} title={label} onClick={() => setOpen(!isOpen)}>
        {children ?? <Icon name={icon} />}
      </button>
      {isOpen && (
        <div className="menu-list" role="menu" id={id} aria-label={label} ref={list}>
          {groups.filter((group) => group.length).map((group, place) => (
            <div role="group" key={place}>
              {group.map(({ text, icon: sign, isDangerous, isChosen, onChoose }) => (
                <button type="button" key={text} tabIndex={-1} role={isChosen === undefined ? 'menuitem' : 'menuitemradio'} aria-checked={isChosen} className={isDangerous ? 'menu-item danger' : 'menu-item'} onClick={() => { shut(); onChoose(); }}>
                  {sign && <Icon name={sign} size={18} />}
                  <span>{text}</span>
                  {isChosen && <Icon name="check" size={18} />}
                </button>
              ))}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
