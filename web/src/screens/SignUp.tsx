import { StrongTogetherClient } from '@strong-together/client';
import { useState } from 'preact/hooks';
import { useAction } from '../hooks.ts';
import { Field, Link, Notice, Screen } from '../parts/basics.tsx';

/** Signing up is of nobody's session: nothing of it is kept. */
const client = new StrongTogetherClient({ baseUrl: location.origin });

export function SignUp({ hasMailbox }: { hasMailbox: boolean }) {
  const [form, setForm] = useState({ username: '', email: '', password: '' });
  const [isMade, setMade] = useState(false);
  const { isBusy, error, run } = useAction();
  const set = (name: keyof typeof form) => (text: string) => setForm({ ...form, [name]: text });
  if (isMade) {
    return (
      <div class="narrow">
        <Screen title="Look into your mail">
          <div class="card">
            <p>
              A mail to <strong dir="auto">{form.email}</strong> has a link that confirms your address. Open it, then{' '}
              <Link to="sign-in">sign in</Link>.
            </p>
            {hasMailbox && (
              <p>
                This server sends no mails yet; they are in its <a href="/dev/mailbox">mailbox</a>.
              </p>
            )}
          </div>
        </Screen>
      </div>
    );
  }
  return (
    <div class="narrow">
      <Screen title="Sign up">
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            run(async () => {
              await client.call('POST', '/api/users/create', { body: form });
              setMade(true);
              return undefined;
            });
          }}
        >
          <Field
            label="User name"
            autocomplete="username"
            required
            minLength={3}
            maxLength={15}
            pattern="[A-Za-z0-9_]+"
            hint="3 to 15 letters, digits and underscores."
            value={form.username}
            onText={set('username')}
          />
          <Field label="E-mail" type="email" autocomplete="email" required value={form.email} onText={set('email')} />
          <Field
            label="Password"
            type="password"
            autocomplete="new-password"
            required
            minLength={8}
            hint="At least 8 characters."
            value={form.password}
            onText={set('password')}
          />
          <Notice error={error} />
          <button type="submit" disabled={isBusy}>
            Sign up
          </button>
        </form>
        <p>
          You have an account? <Link to="sign-in">Sign in</Link>
        </p>
      </Screen>
    </div>
  );
}
