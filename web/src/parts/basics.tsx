import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { go, inWords, type Loaded } from '../hooks.ts';

/** A screen with its heading, which gets the focus when the screen opens. */
export function Screen({
  title,
  children,
  actions,
}: {
  title: string;
  children: ComponentChildren;
  actions?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Strong Together`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main id="main">
      <div class="head">
        <h1 ref={heading} tabIndex={-1} dir="auto">
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </main>
  );
}

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  dir?: 'auto';
  'aria-current'?: 'page' | undefined;
}

export function Link({ to, children, ...more }: LinkProps) {
  return (
    <a
      href={`/app/${to}`}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
      {...(more as object)}
    >
      {children}
    </a>
  );
}

/** What a screen reader says at once: an error, or that something is done. */
export function Notice({ error, done }: { error?: string; done?: string }) {
  return (
    <>
      <div role="alert">{error && <p class="notice error">{error}</p>}</div>
      <div role="status">{done && <p class="notice done">{done}</p>}</div>
    </>
  );
}

/** What was loaded, or that it is on its way, or why not. */
export function Ready<T>({
  loaded,
  again,
  children,
}: {
  loaded: Loaded<T>;
  again?: () => void;
  children: (value: T) => ComponentChildren;
}) {
  if (loaded.state === 'loading') return <p role="status">Loading …</p>;
  if (loaded.state === 'here') return <>{children(loaded.value)}</>;
  return (
    <div role="alert">
      <p class="notice error">{inWords(loaded.error)}</p>
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

interface InputProps {
  label: string;
  value: string | number;
  onText: (text: string) => void;
  hint?: string;
  type?: 'text' | 'email' | 'password' | 'search' | 'number' | 'datetime-local';
  inputMode?: 'numeric' | 'decimal';
  autocomplete?: string;
  required?: boolean;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  min?: number;
  max?: number;
  step?: number | 'any';
  /** `auto` for text that may run from right to left. */
  dir?: 'auto';
}

export function Field({ label, hint, onText, value, ...input }: InputProps) {
  const id = useId();
  // A number is shown as it was typed: 80. is on its way to 80.5.
  const [typed, setTyped] = useState('');
  const isTyped = input.type === 'number' && typed !== '' && Number(typed) === Number(value);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        value={isTyped ? typed : String(value)}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          onText(event.currentTarget.value);
        }}
        {...(input as object)}
      />
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

export function Choice({
  label,
  value,
  options,
  onChoose,
  hideLabel,
}: {
  label: string;
  value: string;
  options: ReadonlyArray<readonly [value: string, text: string]>;
  onChoose: (value: string) => void;
  hideLabel?: boolean;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={hideLabel ? 'unseen' : undefined}>
        {label}
      </label>
      <select id={id} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Rows for those who do not see a chart, and for whoever wants the numbers. */
export function Rows({
  caption,
  head,
  rows,
}: {
  caption: string;
  head: string[];
  rows: Array<Array<string | number>>;
}) {
  return (
    <details>
      <summary>{caption} as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {head.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, place) => (
              <tr key={`${place} ${cells[0]}`}>
                {cells.map((cell, n) => (
                  <td key={head[n]}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
