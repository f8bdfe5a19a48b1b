/** Where the server of the examples is, without a slash at the end: `BASE_URL`, or this machine. */
export const BASE_URL = serverUrl(process.env.BASE_URL || 'http://localhost:5000');

function serverUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  console.error(`BASE_URL is "${text}", and must be an http(s) URL such as http://localhost:5000.`);
  process.exit(1);
}
