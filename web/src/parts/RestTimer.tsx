import { useEffect, useState } from 'preact/hooks';
import { NumberField } from './basics.tsx';

const TICK_MS = 500;

/** Counts the rest down from the last set. @param from instant in milliseconds; undefined: no set was done yet */
export function RestTimer({ from }: { from: number | undefined }) {
  const [seconds, setSeconds] = useState<number | null>(120);
  const [begun, setBegun] = useState<number>();
  const [now, setNow] = useState(Date.now());
  const begin = (at: number | undefined) => {
    setBegun(at);
    setNow(Date.now());
  };
  useEffect(() => begin(from), [from]);
  useEffect(() => {
    if (begun === undefined) return;
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [begun]);
  const rest = seconds ?? 0;
  const left = begun === undefined ? rest : Math.max(0, Math.ceil((begun + rest * 1000 - now) / 1000));
  return (
    <section class="card row" aria-label="Rest timer">
      <NumberField label="Rest, seconds" least={1} most={3600} value={seconds} onNumber={setSeconds} />
      <span role="timer" class="timer">
        {Math.floor(left / 60)}:{String(left % 60).padStart(2, '0')}
      </span>
      <button type="button" onClick={() => begin(begun === undefined ? Date.now() : undefined)}>
        {begun === undefined ? 'Start the rest' : 'Stop'}
      </button>
      <span role="status" class="hint">
        {begun !== undefined && left === 0 && 'Rest is over'}
      </span>
    </section>
  );
}
