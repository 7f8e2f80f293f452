import { Link } from 'wouter';
import { Menu } from '../controls/Menu';
import { announce } from '../controls/notices';
import { setLanguage, useWords } from '../text/words';
import { SearchBox } from './SearchBox';
import { useTheme, type Theme } from './theme';

const THEMES: [Theme, 'themeSystem' | 'themeLight' | 'themeDark'][] = [['system', 'themeSystem'], ['light', 'themeLight'], ['dark', 'themeDark']];

export function Header({ name, onLeave }: { name: string; onLeave: () => Promise<void> }) {
  const { say, language, problem } = useWords();
  const [theme, setTheme] = useTheme();
  const other = language === 'ko' ? 'en' : 'ko';
  return (
    <header className="header">
      <Link className="brand" href="/" aria-label={`biblio · ${say('library')}`}>
        <img src="/icon.svg" alt="" width={28} height={28} />
        <span>biblio</span>
      </Link>
      <SearchBox />
      <nav className="header-buttons">
        <button type="button" className="button quiet" lang={other} onClick={() => setLanguage(other)}>{say('otherLanguage')}</button>
        <Menu label={say('menu')} icon="settings" groups={[
          THEMES.map(([value, text]) => ({ text: say(text), isChosen: theme === value, onChoose: () => setTheme(value) })),
          [{ text: say('signOut'), onChoose: () => void onLeave().catch((failed) => announce(problem(failed))) }],
        ]} />
        {name && <span className="unseen">{say('signedInAs', { name })}</span>}
      </nav>
    </header>
  );
}
