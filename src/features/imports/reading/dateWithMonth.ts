import { monthOf } from './months.ts';

/** `15 Sep 2025, 07:48`, the month in any language of `months.ts`, as year, month, day, hour and minute. */
export function readDateWithMonth(text: string): string | undefined {
  const [, day = '', name = '', year, hour, minute] = /^(\d{1,2}) (\S+) (\d{4}), (\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const month = monthOf(name);
  if (month === undefined) return undefined;
  const two = (value: number | string) => String(value).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}T${two(hour ?? 0)}:${minute}:00`;
}
