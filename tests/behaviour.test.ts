import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const RULES = 'docs/behaviour/*.md';
const CITING = '{src,tests,client,bench,examples,db,docs}/**/*.{ts,js,sql,md}';
const DOCUMENTS = ['*.md', '{docs,bench,client,examples}/**/*.md'];

/** `behaviour 4.3`, also several: `behaviour 4.3, 4.4`, `behaviour 4.1 to 4.3`. The older word is `contract`. */
const BY_NUMBER = /\b(?:behaviour|contract) (\d+(?:\.\d+)?(?:(?:,| to| and) \d+\.\d+)*)/gi;
/** `ID21`: a safety property. Not inside another word or a hash. */
const BY_LETTERS = /(?<![\w/+.-])(?:ID|PO|DA|IS|CA|BG|AB|IN|OP)\d{1,2}(?![\w/+=-])/g;

function citedIds(text: string): string[] {
  const numbers = [...text.matchAll(BY_NUMBER)].flatMap(([, list]) => list?.match(/\d+(?:\.\d+)?/g) ?? []);
  return [...numbers, ...(text.match(BY_LETTERS) ?? [])];
}

/** A section is defined by its heading, an endpoint or a property by its anchor. */
function definedIds(markdown: string): string[] {
  const sections = [...markdown.matchAll(/^#{2,4} (\d+\.\d+) /gm)].map(([, id]) => id ?? '');
  const anchors = [...markdown.matchAll(/<a id="(\d+|[a-z]{2}\d+)">/g)].map(([, id]) => id?.toUpperCase() ?? '');
  return [...sections, ...anchors];
}

const withoutCode = (markdown: string) => markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`]*`/g, '`');

/** Where the links of a document lead; a reference without a definition leads to `undefined reference …`. */
function targetsOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const definitions = new Map([...text.matchAll(/^\[([^\]]+)\]: (\S+)/gm)].map(([, name, target]) => [name, target]));
  const inline = [...text.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target ?? '');
  const referred = [...text.matchAll(/\[([^[\]]+)\]\[([^[\]]*)\]/g)].map(([, words, name]) => name || words);
  const missing = referred.filter((name) => !definitions.has(name)).map((name) => `undefined reference ${name}`);
  return [...inline, ...[...definitions.values()].map((target) => target ?? ''), ...missing];
}

/** What a link may name behind `#`: headings as GitHub spells them, and anchors. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set([...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id ?? ''));
  for (const [, heading = ''] of markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let unique = slug;
    for (let n = 1; anchors.has(unique); n++) unique = `${slug}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** False: no such file, or no such place in it. */
function leadsSomewhere(from: string, target: string): boolean {
  if (/^(https?|mailto):/.test(target)) return true;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : join(dirname(from), decodeURIComponent(path));
  if (!existsSync(file)) return false;
  return anchor === undefined || (statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).has(anchor));
}

const filesOf = (patterns: string | string[]) =>
  globSync(patterns, { cwd: ROOT, exclude: ['**/node_modules'] }).map((name) => join(ROOT, name));
const nameOf = (file: string) => relative(ROOT, file);

describe('the rules of docs/behaviour', () => {
  const rules = filesOf(RULES).flatMap((file) => definedIds(readFileSync(file, 'utf8')));

  it('define every rule that is cited anywhere', () => {
    const known = new Set(rules);
    const citations = filesOf(CITING)
      .filter((file) => file !== import.meta.filename)
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .flatMap((line, index) => citedIds(line).map((id) => ({ id, at: `${nameOf(file)}:${index + 1}` }))),
      );
    expect(citations.length).toBeGreaterThan(150);
    expect(citations.filter(({ id }) => !known.has(id))).toEqual([]);
  });

  it('are each defined once', () => {
    expect(rules.filter((id, index) => rules.indexOf(id) !== index)).toEqual([]);
  });
});

it.each(filesOf(DOCUMENTS).map(nameOf))('every link of %s leads to a file and a place in it', (name) => {
  const file = join(ROOT, name);
  expect(targetsOf(readFileSync(file, 'utf8')).filter((target) => !leadsSomewhere(file, target))).toEqual([]);
});

it('finds citations, definitions and links in every form', () => {
  expect(
    citedIds('// (behaviour 0.8), contract 4.1 to 4.3, behaviour 29, DA14 (ID21, PO1); not a+ID7b= or HID1'),
  ).toEqual(['0.8', '4.1', '4.3', '29', 'DA14', 'ID21', 'PO1']);
  expect(definedIds('## 0.8 Proofs\n| <a id="3"></a>3 |\n- <a id="id4"></a>**ID4** …')).toEqual(['0.8', '3', 'ID4']);
  expect(targetsOf('[a](b.md#c) [d][e] [f][] `[g](h)`\n\n[f]: i.md')).toEqual([
    'b.md#c',
    'i.md',
    'undefined reference e',
  ]);
  expect([...anchorsOf('# `A` and B: c_d\n## Twice\n## Twice\n<a id="x"></a>')]).toEqual([
    'x',
    'a-and-b-c_d',
    'twice',
    'twice-1',
  ]);
  const readme = join(ROOT, 'README.md');
  expect(leadsSomewhere(readme, 'no-such-file.md')).toBe(false);
  expect(leadsSomewhere(readme, '#no-such-place')).toBe(false);
});
