// A mistake of ours must not leave a white page.
import { Component, type ReactNode } from 'react';
import { State } from '../controls/State';
import { currentWords } from '../text/words';

export class Guard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    const { say } = currentWords();
    return (
      <main className="page">
        <State icon="alert" title={say('broken')} isProblem>
          <button type="button" className="button strong" onClick={() => location.reload()}>{say('reload')}</button>
        </State>
      </main>
    );
  }
}
