import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { go, type Me, SharedContext, usePath } from './hooks.ts';
import { Link, Screen } from './parts/basics.tsx';
import { Editor } from './screens/Editor.tsx';
import { Exercise } from './screens/Exercise.tsx';
import { Exercises } from './screens/Exercises.tsx';
import { Export } from './screens/Export.tsx';
import { ForgotPassword } from './screens/ForgotPassword.tsx';
import { Home } from './screens/Home.tsx';
import { Import } from './screens/Import.tsx';
import { Measurements } from './screens/Measurements.tsx';
import { Plan } from './screens/Plan.tsx';
import { Settings } from './screens/Settings.tsx';
import { SignIn } from './screens/SignIn.tsx';
import { SignUp } from './screens/SignUp.tsx';
import { Workout } from './screens/Workout.tsx';
import { Workouts } from './screens/Workouts.tsx';
import { beginWorkout } from './session/beginning.ts';
import { load, onStoredElsewhere, save } from './session/database.ts';
import { sendWaiting } from './session/drafts.ts';
import type { Session } from './session/session.ts';

const PLACES = [
  ['', 'Home'],
  ['workouts', 'Workouts'],
  ['exercises', 'Exercises'],
  ['plan', 'Plan'],
  ['measurements', 'Measurements'],
  ['import', 'Import'],
  ['export', 'Export'],
  ['settings', 'Settings'],
] as const;

const RETRY_MS = 15_000;
const DEFAULTS: Me = { unit: 'kg', weekStart: 'monday' };

interface Props {
  session: Session;
  /** Nobody has signed up on this server yet. */
  isEmpty: boolean;
  /** Mails can be read at `/dev/mailbox`. */
  hasMailbox: boolean;
}

export function App(props: Props) {
  const [error] = useErrorBoundary((cause) => console.error(cause));
  if (!error) return <Shown {...props} />;
  return (
    <Screen title="Something went wrong">
      <p role="alert">
        This screen cannot be shown. What you wrote is kept in this browser.{' '}
        <a href={location.href}>Load the page again</a>; if that does not help, tell the operator of this server.
      </p>
    </Screen>
  );
}

function Shown({ session, isEmpty, hasMailbox }: Props) {
  const path = usePath();
  const [isSignedIn, setSignedIn] = useState(session.isSignedIn());
  const [hasEnded, setEnded] = useState(false);
  useEffect(
    () =>
      session.onChange((now) => {
        setSignedIn(now);
        setEnded(!now);
      }),
    [session],
  );
  if (!isSignedIn) {
    if (path === 'sign-up' || (isEmpty && path === '')) return <SignUp hasMailbox={hasMailbox} />;
    if (path === 'forgot-password') return <ForgotPassword hasMailbox={hasMailbox} />;
    return <SignIn session={session} hasEnded={hasEnded} onDone={() => path.startsWith('sign-') && go('')} />;
  }
  return <SignedIn session={session} path={path} onSignOut={() => setEnded(false)} />;
}

function SignedIn({ session, path, onSignOut }: { session: Session; path: string; onSignOut: () => void }) {
  const [me, setMe] = useChoices(session, path === '');
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => {
      setOnline(navigator.onLine);
      if (navigator.onLine) void sendWaiting(session);
    };
    look();
    const timer = setInterval(look, RETRY_MS);
    addEventListener('online', look);
    addEventListener('offline', look);
    return () => {
      clearInterval(timer);
      removeEventListener('online', look);
      removeEventListener('offline', look);
    };
  }, [session]);
  if (!me) return <p role="status">Loading …</p>;
  const shared = { session, me, setMe };
  return (
    <SharedContext.Provider value={shared}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header>
        <nav aria-label="Main">
          {PLACES.map(([to, name]) => {
            const isHere = to === '' ? path === '' : path.split('/')[0] === to;
            return (
              <Link key={to} to={to} aria-current={isHere ? 'page' : undefined}>
                {name}
              </Link>
            );
          })}
        </nav>
      </header>
      <div role="status">
        {!isOnline && (
          <p class="notice">You are offline. What you write down is kept here and sent when the line is back.</p>
        )}
      </div>
      {screenAt(session, path, onSignOut)}
    </SharedContext.Provider>
  );
}

/** Gives the workout its id, and with it an address that a reload finds it at. */
function NewWorkout({ session }: { session: Session }) {
  useEffect(() => void beginWorkout(session).then((id) => go(`workouts/${id}/new`, true)), [session]);
  return null;
}

function screenAt(session: Session, path: string, onSignOut: () => void) {
  const [place = '', id, what] = path.split('/');
  switch (place) {
    case 'workouts':
      if (id === 'new') return <NewWorkout session={session} />;
      if (id && (what === 'new' || what === 'edit')) return <Editor key={id} id={id} isNew={what === 'new'} />;
      return id ? <Workout key={id} id={id} /> : <Workouts />;
    case 'exercises':
      return id ? <Exercise key={id} id={Number(id)} /> : <Exercises />;
    case 'plan':
      return <Plan />;
    case 'measurements':
      return <Measurements />;
    case 'import':
      return <Import key={id} id={id} />;
    case 'export':
      return <Export />;
    case 'settings':
      return <Settings onSignOut={onSignOut} />;
    default:
      return <Home />;
  }
}

/**
 * What the person chose: at once as this browser knows it, then as the server does, because another device may have chosen
 * otherwise. Another tab's choice is taken over, too.
 * @param isHome the first screen, whose one answer brings the choices along
 */
function useChoices(session: Session, isHome: boolean): [Me | undefined, (next: Me) => void] {
  const [me, setMe] = useState<Me>();
  const choose = (next: Me) => {
    setMe(next);
    void save('choices', 'me', next);
  };
  useEffect(() => {
    const open = async () => {
      const kept = await load<Me>('choices', 'me');
      if (kept) setMe(kept);
      if (kept && isHome) return;
      const asked = await session.client.call('GET', '/api/v1/me').catch(() => undefined);
      const chosen = asked && ({ unit: asked.unit, weekStart: asked.weekStart } as Me);
      if (chosen && kept && !isSame(chosen, kept)) setMe((now) => (now === kept ? chosen : now));
      if (!kept) setMe(chosen ?? DEFAULTS);
      if (chosen) await save('choices', 'me', chosen);
    };
    void open();
    return onStoredElsewhere('choices', (key) => {
      if (key === 'me') void load<Me>('choices', 'me').then((chosen) => chosen && setMe(chosen));
    });
  }, [session]);
  return [me, choose];
}

const isSame = (a: Me, b: Me) => a.unit === b.unit && a.weekStart === b.weekStart;
