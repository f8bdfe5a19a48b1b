import { Html, html } from '#platform/html.ts';

const STYLE_SHEET = new Html(`
  :root { color-scheme: light dark; --ink: #1c2430; --paper: #f5f7fa; --card: #ffffff; --accent: #1f6feb; }
  @media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --paper: #12161c; --card: #1c232d; --accent: #6ea8fe; } }
  * { box-sizing: border-box; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
         font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; color: var(--ink);
         background: var(--paper); }
  main { width: 100%; max-width: 32rem; padding: 2rem 1.5rem; border-radius: 1rem; background: var(--card); }
  h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
  p { margin: .5rem 0; }
  a { color: var(--accent); }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
  input, button { width: 100%; padding: .75rem; font: inherit; border-radius: .5rem; border: 1px solid #8894a4; }
  button { margin-top: 1rem; border: 0; color: #fff; background: #1f6feb; font-weight: 600; }
  [hidden] { display: none; }
  .inline { display: flex; gap: .5rem; align-items: center; font-weight: 400; }
  .inline input { width: auto; margin: 0; }
  .list { margin: 0; padding: 0; list-style: none; }
  .list li { padding: .75rem 0; border-top: 1px solid #8894a455; }
  .list p { margin: 0; font-size: .9375rem; }`);

/** What a browser puts beside the title; it asks for `/favicon.ico` by itself. */
export const ICON =
  html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6feb"/><path fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" d="M5 16h22M9 10v12M23 10v12"/></svg>
`.markup;

/** A page for a person's browser: readable on a phone, dark and light, no script. */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · Strong Together</title>
<style>${STYLE_SHEET}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`.markup;
}
