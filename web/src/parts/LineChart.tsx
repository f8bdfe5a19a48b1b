import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { day, number } from '../format.ts';
import { Rows } from './basics.tsx';

interface Series {
  label: string;
  /** Instants in milliseconds and values; the same instants for all series of a chart. */
  values: Array<number | null>;
  kind: 'line' | 'points';
}

interface Props {
  title: string;
  unit: string;
  /** Milliseconds, ascending. */
  at: number[];
  series: Series[];
  /** What to do where there is nothing to show. */
  empty: string;
}

const HEIGHT = 220;
const DARK = '(prefers-color-scheme: dark)';

type Plot = typeof uPlot;

/** Curves over time, drawn by a library that is loaded when the first of them is shown. The pointer or a tap shows values below the chart; a table has all of them. */
export function LineChart({ title, unit, at, series, empty }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [library, setLibrary] = useState<{ Plot?: Plot; isMissing: boolean }>({ isMissing: false });
  const { Plot, isMissing } = library;
  const isEmpty = at.length === 0;
  useEffect(() => {
    if (isEmpty || Plot) return;
    import('uplot').then(
      ({ default: loaded }) => setLibrary({ Plot: loaded, isMissing: false }),
      () => setLibrary({ isMissing: true }),
    );
  }, [isEmpty, Plot]);
  useEffect(() => {
    const element = box.current;
    if (!element || isEmpty || !Plot) return;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      const color = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
      const axis = {
        stroke: color('--faint'),
        grid: { stroke: color('--line'), width: 1 },
        ticks: { stroke: color('--line'), width: 1 },
      };
      const data = [at.map((ms) => ms / 1000), ...series.map(({ values }) => values)] as uPlot.AlignedData;
      plot = new Plot(
        {
          width: element.clientWidth,
          height: HEIGHT,
          scales: { x: { time: true } },
          axes: [axis, { ...axis, label: unit, size: 56, values: (_, ticks) => ticks.map((tick) => number(tick)) }],
          series: [
            { label: 'Day', value: (_, seconds) => (seconds === null ? '–' : day(seconds * 1000)) },
            ...series.map(({ label, kind }, n) => ({
              label,
              stroke: color(`--series-${n + 1}`),
              width: 2,
              spanGaps: true,
              ...(kind === 'points'
                ? { paths: () => null, points: { show: true, size: 7, fill: color(`--series-${n + 1}`) } }
                : { points: { show: at.length < 40 } }),
              value: (_: uPlot, value: number | null) => (value === null ? '–' : `${number(value)} ${unit}`),
            })),
          ],
        },
        data,
        element,
      );
    };
    draw();
    const size = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height: HEIGHT }));
    size.observe(element);
    const theme = matchMedia(DARK);
    theme.addEventListener('change', draw);
    return () => {
      size.disconnect();
      theme.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [at, series, unit, Plot]);

  return (
    <section class="card">
      <h2>{title}</h2>
      {isEmpty ? (
        <p class="empty">{empty}</p>
      ) : (
        <>
          {isMissing && (
            <p class="notice error">The curve could not be loaded: load the page again. The table has its values.</p>
          )}
          <div ref={box} class="chart" role="img" aria-label={`${title}, ${unit}: a curve of ${at.length} days`} />
          <Rows
            caption={title}
            head={['Day', ...series.map(({ label }) => `${label}, ${unit}`)]}
            rows={at.map((ms, n) => [
              day(ms),
              ...series.map(({ values }) => (values[n] == null ? '–' : number(values[n]))),
            ])}
          />
        </>
      )}
    </section>
  );
}
