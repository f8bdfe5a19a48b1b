import { useState } from 'preact/hooks';
import { useAction } from '../hooks.ts';
import { Field, Link, Notice, Screen } from '../parts/basics.tsx';
import type { Session } from '../session/session.ts';

/** Name of this browser in the list of sessions. */
function browserName(): string {
  const agent = navigator.userAgent;
  const [browser] = /Firefox|Edg|OPR|Chrome|Safari/.exec(agent) ?? ['Browser'];
  const [system] = /Windows|Mac OS|Android|iPhone|iPad|Linux/.exec(agent) ?? [''];
  return [browser.replace('Edg', 'Edge').replace('OPR', 'Opera'), system].filter(Boolean).join(' on ');
}

export function SignIn({ session, hasEnded, onDone }: { session: Session; hasEnded: boolean; onDone: () => void }) {
  const [identifier, setIdentifier] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [way, setWay] = useState<'password' | 'code'>('password');
  const [isMailed, setMailed] = useState(false);
  const { isBusy, error, done, run } = useAction();

  const signIn = async () => {
    const name = browserName();
    const body = way === 'password' ? { identifier, password, name } : { email: identifier, code: code.trim(), name };
    await session.client.call('POST', '/api/v1/sessions', { body });
    onDone();
    return undefined;
  };
  const mail = async () => {
    await session.client.call('POST', '/api/v1/sessions/code', { body: { email: identifier } });
    setMailed(true);
    return 'If there is a verified account with this address, a mail with a code of eight digits is on its way.';
  };
  return (
    <div class="narrow">
      <Screen title="Sign in">
        {hasEnded && (
          <p class="notice" role="status">
            Your session has ended, here or on another device. What you were writing is kept in this browser: sign in to
            go on.
          </p>
        )}
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            run(way === 'code' && !isMailed ? mail : signIn);
          }}
        >
          <Field
            label={way === 'password' ? 'User name or e-mail' : 'E-mail'}
            type={way === 'password' ? 'text' : 'email'}
            autocomplete="username"
            required
            value={identifier}
            onText={setIdentifier}
          />
          {way === 'password' && (
            <Field
              label="Password"
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onText={setPassword}
            />
          )}
          {way === 'code' && isMailed && (
            <Field
              label="Code from the mail"
              inputMode="numeric"
              autocomplete="one-time-code"
              pattern="\s*\d{8}\s*"
              required
              value={code}
              onText={setCode}
            />
          )}
          <Notice error={error} done={done} />
          <button type="submit" disabled={isBusy}>
            {way === 'code' && !isMailed ? 'Mail me a code' : 'Sign in'}
          </button>
          <button
            type="button"
            class="plain"
            onClick={() => {
              setWay(way === 'password' ? 'code' : 'password');
              setMailed(false);
            }}
          >
            {way === 'password' ? 'No password? Sign in with a mailed code' : 'Sign in with a password'}
          </button>
        </form>
        <p>
          <Link to="forgot-password">Forgot password?</Link>
        </p>
        <p>
          New here? <Link to="sign-up">Sign up</Link>
        </p>
      </Screen>
    </div>
  );
}
