/** The beginning of a text, at most so many UTF-16 units; an emoji is kept whole or not at all. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : text.slice(0, /[\uD800-\uDBFF]/.test(text[most - 1] ?? '') ? most - 1 : most);
