import { LANGUAGES } from '../library/choices';
import { useWords, type TextName } from '../text/words';
import { LENGTHS, MODES, PERIODS, type FilterName, type SearchFilters } from './useSearch';

interface Props {
  filters: SearchFilters;
  onFilter: (name: FilterName, value: string) => void;
}

export function SearchFilterBar({ filters, onFilter }: Props) {
  const { say, languageName } = useWords();
  const choice = (name: FilterName, label: TextName, none: TextName, options: readonly (readonly [string, string])[]) => (
    <select className="field" aria-label={say(label)} value={filters[name] ?? ''} onChange={({ target }) => onFilter(name, target.value)}>
      <option value="">{say(none)}</option>
      {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </select>
  );
  const named = (names: readonly string[]) => names.map((name) => [name, say(name as TextName)] as const);
  return (
    <div className="filters">
      {choice('mode', 'searchBy', 'byAll', Object.entries(MODES).map(([mode, text]) => [mode, say(text)]))}
      {choice('language', 'spokenLanguage', 'anyLanguage', LANGUAGES.map((tag) => [tag, languageName(tag)]))}
      {choice('length', 'lengthFilter', 'anyLength', named(Object.keys(LENGTHS)))}
      {choice('added', 'addedFilter', 'anyTime', named(Object.keys(PERIODS)))}
    </div>
  );
}
