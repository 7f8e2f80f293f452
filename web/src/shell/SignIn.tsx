import { useState, type FormEvent } from 'react';
import { setLanguage, useWords } from '../text/words';

const KEY = /^[\x21-\x7e]+$/;

interface Props {
  isLinkUsed: boolean;
  onEnter: (key: string) => Promise<void>;
}

export function SignIn({ isLinkUsed, onEnter }: Props) {
  const { say, problem: explained, language } = useWords();
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (!key.trim()) return;
    setBusy(true);
    setProblem(null);
    try {
      await onEnter(KEY.test(key.trim()) ? key.trim() : '-'); // a header could not carry it
    } catch (refused) {
      setProblem(refused);
      setBusy(false);
    }
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <img className="sign-in-sign" src="/icon.svg" alt="" width={48} height={48} />
        <h1>{say('welcome')}</h1>
        <p className="soft">{say('signInWhy')}</p>
        {isLinkUsed && !problem && <p className="hint" role="status">{say('linkUsed')}</p>}
        <form onSubmit={submit}>
          <label htmlFor="key">{say('key')}</label>
          <div className="line">
            <input id="key" className="field" type="password" autoComplete="current-password" spellCheck={false} placeholder={say('keyHint')} value={key} aria-describedby="key-where key-problem" aria-invalid={Boolean(problem)} onChange={({ target }) => setKey(target.value)} />
            <button className="button strong" disabled={isBusy}>{say(isBusy ? 'signingIn' : 'signIn')}</button>
          </div>
          <p id="key-problem" className="problem" role="alert">{problem ? explained(problem) : ''}</p>
        </form>
        <p id="key-where" className="soft small">{say('keyWhere')}</p>
      </div>
      <button type="button" className="button quiet" lang={language === 'ko' ? 'en' : 'ko'} onClick={() => setLanguage(language === 'ko' ? 'en' : 'ko')}>{say('otherLanguage')}</button>
    </main>
  );
}
