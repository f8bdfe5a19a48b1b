/** Markup that is safe to send; made by `html` only. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** Apostrophes are not escaped: attributes are in double quotes everywhere. */
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

/** Template tag: everything that is put in is escaped, unless it is `Html` itself (or a list of it). */
export function html(strings: TemplateStringsArray, ...values: Array<string | number | Html | Html[]>): Html {
  const put = (value: string | number | Html | Html[] | undefined): string => {
    if (value === undefined) return '';
    if (value instanceof Html) return value.markup;
    return Array.isArray(value) ? value.map(put).join('') : escapeHtml(String(value));
  };
  return new Html(strings.map((part, index) => part + put(values[index])).join(''));
}
