import { expect, it } from 'vitest';
import { compose } from './letter.ts';

const letter = compose(
  { to: 'dana@example.com', greeting: '<b>Dana</b>' },
  {
    subject: 'A & B',
    preview: 'Shown in the list.',
    paragraphs: ['One <paragraph>.'],
    action: { label: 'Go', link: 'https://example.com/?a=1&b=2' },
    closing: 'The end.',
  },
);

it('a mail is dark where its reader is dark, and light where styles are not understood', () => {
  expect(letter.html).toContain('<meta name="color-scheme" content="light dark">');
  const [, dark = ''] = /@media \(prefers-color-scheme: dark\) \{(.*?)\n\}/s.exec(letter.html) ?? [];
  for (const name of ['paper', 'card']) {
    expect(dark).toMatch(new RegExp(`\\.${name} \\{[^}]*background: #1[0-9a-f]{5} !important`));
    expect(letter.html).toMatch(new RegExp(`class="${name}"[^>]* style="[^"]*background:#f`));
  }
});

it('a mail asks no other host for anything', () => {
  expect(letter.html).not.toMatch(/<(?:img|link|script|iframe)|url\(|@import/);
});

it('what people wrote is text, and the text part says the same', () => {
  expect(letter.html).toContain('Hi &lt;b&gt;Dana&lt;/b&gt;,');
  expect(letter.html).toContain('href="https://example.com/?a=1&amp;b=2"');
  expect(letter.text.trim()).toBe(
    'Hi <b>Dana</b>,\n\nOne <paragraph>.\n\nGo:\nhttps://example.com/?a=1&b=2\n\nThe end.',
  );
});
