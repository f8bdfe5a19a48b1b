/** Half of an emoji that was cut off at a length limit: it can only stand in JSON as an escape. */
const HALF = /\\ud[89a-f]/i;

/**
 * Parses JSON. Unpaired surrogates in strings and property names become U+FFFD, as UTF-8 encoding makes them everywhere
 * else. @throws SyntaxError
 */
export function parseWellFormed(text: string): unknown {
  const value: unknown = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'object' && value !== null && HALF.test(text)) makeWellFormed(value);
  return value;
}

/** Without recursion, because JSON may be nested more deeply than the stack allows. */
function makeWellFormed(root: object): void {
  const open: object[] = [root];
  for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
    for (const [name, value] of Object.entries(parent)) {
      if (typeof value === 'object' && value !== null) open.push(value);
      const known = name.toWellFormed();
      if (known === name && (typeof value !== 'string' || value.isWellFormed())) continue;
      Reflect.deleteProperty(parent, name);
      // Not assigned: the text may contain the name `__proto__`, and assigning that would call its setter.
      Object.defineProperty(parent, known, {
        value: typeof value === 'string' ? value.toWellFormed() : value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
  }
}
