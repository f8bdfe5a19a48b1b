import { useState } from 'preact/hooks';
import { localTime } from '../format.ts';
import { Field } from './basics.tsx';

/** Not while the year is being typed, and in the years that the server takes. */
const isWhole = (text: string) => /^(19|2[01])\d\d-/.test(text);

interface Props {
  label: string;
  instant: string | null;
  /** Null: nothing is entered, which a field that is required does not say. */
  onChange: (instant: string | null) => void;
  onBlur?: () => void;
  required?: boolean;
  hint?: string | undefined;
}

/** A day and a time on the clock of this browser. */
export function TimeField({ label, instant, onChange, onBlur, required = false, hint = '' }: Props) {
  const [typed, setTyped] = useState<string>();
  const given = instant === null ? '' : localTime(instant);
  return (
    <Field
      label={label}
      type="datetime-local"
      required={required}
      hint={hint}
      value={typed !== undefined && (!isWhole(typed) || typed === given) ? typed : given}
      onText={(text) => {
        setTyped(text);
        if (isWhole(text)) onChange(new Date(text).toISOString());
        else if (text === '' && !required) onChange(null);
      }}
      onBlur={() => {
        setTyped(undefined);
        onBlur?.();
      }}
    />
  );
}
