import { render } from 'preact';
import { App } from './app.tsx';
import { openSession } from './session/session.ts';
import './style.css';

const root = document.getElementById('app');
if (root && !isSecureContext) {
  root.textContent = 'Browsers keep keys only for https and for localhost: open this page by one of these.';
} else if (root) {
  const session = await openSession().catch(() => undefined);
  root.textContent = session
    ? ''
    : 'This page keeps a key in the browser, which does not let it: allow storage for this site.';
  if (session)
    render(
      <App session={session} isEmpty={root.dataset.empty === 'true'} hasMailbox={root.dataset.mailbox === 'true'} />,
      root,
    );
}
