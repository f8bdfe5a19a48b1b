/** A high or a low surrogate as an escape of JSON, behind an even number of backslashes. */
const ESCAPE = /(?<!\\)((?:\\\\)*)(\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2})/gi;
/** An escape of half an emoji, which was cut off at a length limit. */
const PAIR = 12;

/**
 * Parses JSON. Unpaired surrogates in strings and property names become U+FFFD, as UTF-8 encoding makes them everywhere
 * else; they can only stand there as escapes. @throws SyntaxError
 */
export function parseWellFormed(text: string): unknown {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const isPlain = !/\\ud[89a-f]/i.test(content);
  return JSON.parse(
    isPlain
      ? content
      : content.replaceAll(ESCAPE, (_all, before: string, written: string) =>
          written.length === PAIR ? before + written : `${before}\\ufffd`,
        ),
  );
}
