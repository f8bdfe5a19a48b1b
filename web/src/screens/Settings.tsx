import { useState } from 'preact/hooks';
import { day, WEEKDAYS, zone } from '../format.ts';
import { go, type Me, useAction, useClient, useLoaded, useShared } from '../hooks.ts';
import { Choice, Field, Notice, Ready, Screen } from '../parts/basics.tsx';
import { clear } from '../session/database.ts';

const DAYS = WEEKDAYS.map((name) => [name, name[0]?.toUpperCase() + name.slice(1)] as const);

export function Settings({ onSignOut }: { onSignOut: () => void }) {
  const { session } = useShared();
  const client = useClient();
  const [loaded, again] = useLoaded(() => client.call('GET', '/api/v1/me'), []);
  const { isBusy, error, run } = useAction();
  const saving = useAction();
  return (
    <Screen title="Settings">
      <Ready loaded={loaded} again={again}>
        {(stored) => <Choices key={stored.version} stored={stored} action={saving} onSaved={again} />}
      </Ready>
      <Sessions />
      <Password />
      <section class="card">
        <h2>This browser</h2>
        <Notice error={error} />
        <button
          type="button"
          disabled={isBusy}
          onClick={() =>
            run(async () => {
              await session.signOut();
              await clear('choices');
              onSignOut();
              go('');
              return undefined;
            })
          }
        >
          Sign out
        </button>
      </section>
      <Deletion onDone={onSignOut} />
    </Screen>
  );
}

type Stored = Me & { name: string | null; username: string; email: string | null; timeZone: string };

function Choices({
  stored,
  action,
  onSaved,
}: {
  stored: Omit<Stored, keyof Me> & { unit: string; weekStart: string };
  action: ReturnType<typeof useAction>;
  onSaved: () => void;
}) {
  const { setMe } = useShared();
  const client = useClient();
  const [form, setForm] = useState({ unit: stored.unit, weekStart: stored.weekStart, name: stored.name ?? '' });
  const { isBusy, error, done, run } = action;
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          const { unit, weekStart } = form as Me;
          await client.call('PATCH', '/api/v1/me', {
            body: { unit, weekStart, ...(form.name ? { name: form.name } : {}) },
          });
          setMe({ unit, weekStart });
          onSaved();
          return 'It is saved.';
        });
      }}
    >
      <h2 dir="auto">{stored.username}</h2>
      <p class="hint">
        {stored.email}, {stored.timeZone}
        {stored.timeZone !== zone() && ` (this browser: ${zone()})`}
      </p>
      <Field label="Name" maxLength={20} dir="auto" value={form.name} onText={(name) => setForm({ ...form, name })} />
      <div class="row">
        <Choice
          label="Weights in"
          value={form.unit}
          options={[
            ['kg', 'Kilograms'],
            ['lb', 'Pounds'],
          ]}
          onChoose={(unit) => setForm({ ...form, unit })}
        />
        <Choice
          label="Weeks begin on"
          value={form.weekStart}
          options={DAYS}
          onChoose={(weekStart) => setForm({ ...form, weekStart })}
        />
      </div>
      <Notice error={error} done={done} />
      <button type="submit" disabled={isBusy}>
        Save
      </button>
    </form>
  );
}

function Sessions() {
  const client = useClient();
  const [loaded, again] = useLoaded(() => client.call('GET', '/api/v1/sessions'), []);
  const { isBusy, error, done, run } = useAction();
  const end = (work: () => Promise<unknown>, said: string) =>
    run(async () => {
      await work();
      again();
      return said;
    });
  return (
    <section class="card">
      <h2>Where you are signed in</h2>
      <Notice error={error} done={done} />
      <Ready loaded={loaded} again={again}>
        {({ items }) => (
          <>
            <ul class="list">
              {items.map(({ id, kind, name, lastUsedOn, current }) => (
                <li key={id}>
                  <span dir="auto">
                    {kind === 'phone' ? 'Phone' : (name ?? 'A browser or program')}{' '}
                    {current && <strong>(this one)</strong>}
                  </span>
                  <span>
                    {lastUsedOn && <span class="hint">last used {day(`${lastUsedOn}T12:00`)}</span>}{' '}
                    {!current && (
                      <button
                        type="button"
                        class="plain"
                        disabled={isBusy}
                        onClick={() =>
                          end(() => client.call('DELETE', '/api/v1/sessions/:id', { params: { id } }), 'It has ended.')
                        }
                      >
                        End<span class="unseen"> {kind === 'phone' ? 'Phone' : name}</span>
                      </button>
                    )}
                  </span>
                </li>
              ))}
            </ul>
            {items.length > 1 && (
              <button
                type="button"
                disabled={isBusy}
                onClick={() => end(() => client.call('DELETE', '/api/v1/sessions'), 'All others have ended.')}
              >
                End all others
              </button>
            )}
          </>
        )}
      </Ready>
    </section>
  );
}

type Way = 'password' | 'code';

/** The password again, or for who has none a code that is mailed first. */
function Confirmation({
  way,
  onWay,
  value,
  onText,
}: {
  way: Way;
  onWay: (way: Way) => void;
  value: string;
  onText: (text: string) => void;
}) {
  const client = useClient();
  const { isBusy, error, done, run } = useAction();
  const mail = async () => {
    const { email } = await client.call('GET', '/api/v1/me');
    if (!email) return 'This account has no address.';
    await client.call('POST', '/api/v1/sessions/code', { body: { email } });
    return 'A mail with a code is on its way.';
  };
  return (
    <>
      <Choice
        label="Confirm with"
        value={way}
        options={[
          ['password', 'The password'],
          ['code', 'A mailed code'],
        ]}
        onChoose={(next) => onWay(next as Way)}
      />
      {way === 'code' && (
        <button type="button" disabled={isBusy} onClick={() => run(mail)}>
          Mail me a code
        </button>
      )}
      <Notice error={error} done={done} />
      <Field
        label={way === 'password' ? 'Your password' : 'Code from the mail'}
        type={way === 'password' ? 'password' : 'text'}
        autocomplete={way === 'password' ? 'current-password' : 'one-time-code'}
        required
        value={value}
        onText={onText}
      />
    </>
  );
}

const shown = (way: Way, text: string) => (way === 'code' ? { code: text.trim() } : { password: text });

function Password() {
  const client = useClient();
  const [way, setWay] = useState<Way>('password');
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const { isBusy, error, done, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        run(async () => {
          await client.call('PUT', '/api/v1/me/password', { body: { ...shown(way, old), newPassword: next } });
          setOld('');
          setNext('');
          return 'The password is changed. All other sessions have ended.';
        });
      }}
    >
      <h2>New password</h2>
      <Confirmation way={way} onWay={setWay} value={old} onText={setOld} />
      <Field
        label="New password"
        type="password"
        autocomplete="new-password"
        minLength={8}
        required
        value={next}
        onText={setNext}
      />
      <Notice error={error} done={done} />
      <button type="submit" disabled={isBusy}>
        Change password
      </button>
    </form>
  );
}

function Deletion({ onDone }: { onDone: () => void }) {
  const { session } = useShared();
  const client = useClient();
  const [way, setWay] = useState<Way>('password');
  const [text, setText] = useState('');
  const { isBusy, error, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(event) => {
        event.preventDefault();
        if (!confirm('Delete the account with everything in it? Nobody can bring it back.')) return;
        run(async () => {
          await client.call('DELETE', '/api/v1/me', { body: shown(way, text) });
          await Promise.all([clear('drafts'), clear('choices')]);
          await session.signOut().catch(() => undefined); // it has ended with the account
          onDone();
          go('');
          return undefined;
        });
      }}
    >
      <h2>Delete the account</h2>
      <p>Everything goes, for good. Export the archive before, if you want to keep it.</p>
      <Confirmation way={way} onWay={setWay} value={text} onText={setText} />
      <Notice error={error} />
      <button type="submit" class="danger" disabled={isBusy}>
        Delete my account
      </button>
    </form>
  );
}
