import { StrongTogetherClient } from '@strong-together/client';
import { useState } from 'preact/hooks';
import { useAction } from '../hooks.ts';
import { Field, Link, Notice, Screen } from '../parts/basics.tsx';

/** Nobody is signed in: nothing of it is kept. */
const client = new StrongTogetherClient({ baseUrl: location.origin });

/** Asks for a mail with a link to a new password. */
export function ForgotPassword({ hasMailbox }: { hasMailbox: boolean }) {
  const [identifier, setIdentifier] = useState('');
  const { isBusy, error, done, run } = useAction();
  return (
    <div class="narrow">
      <Screen title="Forgot password?">
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            run(async () => {
              await client.call('POST', '/api/auth/forgotpassemail', { body: { identifier } });
              return 'If there is such an account with a password, a mail is on its way. Its link leads to a new password and works once, for five minutes.';
            });
          }}
        >
          <Field
            label="User name or e-mail"
            autocomplete="username"
            required
            value={identifier}
            onText={setIdentifier}
          />
          <Notice error={error} done={done} />
          {done && hasMailbox && (
            <p>
              This server sends no mails yet; they are in its <a href="/dev/mailbox">mailbox</a>.
            </p>
          )}
          <button type="submit" disabled={isBusy}>
            Mail me a link
          </button>
        </form>
        <p>
          <Link to="sign-in">Sign in</Link>
        </p>
      </Screen>
    </div>
  );
}
