import type { ComponentChildren, TargetedKeyboardEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { decimalText } from '../format.ts';
import { go, homeAddress, inWords, type Loaded } from '../hooks.ts';
import { problemWith, readNumber } from '../numbers.ts';

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
      <div role="alert">{error && <p class="notice error">{withLink(error)}</p>}</div>
      <div role="status">{done && <p class="notice done">{done}</p>}</div>
    </>
  );
}

/** The address of the page in a text becomes a link to it. */
function withLink(text: string): ComponentChildren {
  const address = homeAddress();
  const [before, ...after] = text.split(address);
  if (after.length === 0) return text;
  return (
    <>
      {before}
      <a href={address}>{address}</a>
      {after.join(address)}
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
      <p class="notice error">{withLink(inWords(loaded.error))}</p>
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
  value: string;
  onText: (text: string) => void;
  hint?: string;
  /** What is wrong with the value: a form with it is not sent. */
  problem?: string;
  onBlur?: () => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'datetime-local';
  inputMode?: 'numeric' | 'decimal';
  autocomplete?: string;
  required?: boolean;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  /** `auto` for text that may run from right to left. */
  dir?: 'auto';
}

export function Field({ label, hint, problem = '', onText, value, ...input }: InputProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => element.current?.setCustomValidity(problem), [problem]);
  const said = problem || hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        ref={element}
        id={id}
        aria-describedby={said ? `${id}-hint` : undefined}
        aria-invalid={problem ? 'true' : undefined}
        value={value}
        onInput={(event) => onText(event.currentTarget.value)}
        {...(input as object)}
      />
      {said && (
        <p id={`${id}-hint`} class={problem ? 'hint problem' : 'hint'}>
          {said}
        </p>
      )}
    </div>
  );
}

interface NumberProps {
  label: string;
  value: number | null;
  /** Null: nothing, or nothing that is a number in these bounds. */
  onNumber: (value: number | null) => void;
  least?: number;
  most: number;
  /** Most decimals; 0 by default. */
  places?: number;
  required?: boolean;
}

/**
 * A field for a number. It is a text field, because a browser's number field drops the separator that its language does not
 * have, and makes 825 of 82,5.
 */
export function NumberField({ label, value, onNumber, required = false, ...bounds }: NumberProps) {
  const [typed, setTyped] = useState('');
  const read = (text: string) => (problemWith(text, bounds) ? null : (readNumber(text) ?? null));
  // A number is shown as it was typed: 80, is on its way to 80,5.
  const shown = read(typed) === value ? typed : decimalText(value);
  return (
    <Field
      label={label}
      inputMode={bounds.places ? 'decimal' : 'numeric'}
      autocomplete="off"
      required={required}
      problem={problemWith(shown, bounds)}
      value={shown}
      onText={(text) => {
        setTyped(text);
        onNumber(read(text));
      }}
    />
  );
}

/** Enter leads to the next field of a form: it never says that the form is done. */
export function toNextField(event: TargetedKeyboardEvent<HTMLFormElement>): void {
  if (event.key !== 'Enter' || event.isComposing || event.defaultPrevented) return;
  if (!(event.target instanceof HTMLInputElement)) return;
  event.preventDefault();
  const fields = [...event.currentTarget.querySelectorAll('input')].filter((field) => !field.matches(':disabled'));
  if (event.target.type === 'checkbox' && !event.target.checked) event.target.click();
  fields[fields.indexOf(event.target) + 1]?.focus();
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
