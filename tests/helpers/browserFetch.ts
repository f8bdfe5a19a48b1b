const SIMPLE_METHODS = ['GET', 'HEAD', 'POST'];
const SIMPLE_HEADERS = ['accept', 'accept-language', 'content-language', 'range'];
const READABLE_HEADERS = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'pragma'];

const list = (header: string | null) => (header ?? '').split(',').map((entry) => entry.trim().toLowerCase());

/**
 * `fetch` of a page of another origin, as the Fetch standard has it: asks before requests that are not simple, fails as a
 * browser does, and shows only the headers of the answer that the server exposes.
 */
export function browserFetch(origin: string): typeof fetch {
  const isAllowed = ({ headers }: Response) => headers.get('access-control-allow-origin') === origin;

  async function ask(request: Request, wanted: string[]): Promise<void> {
    const answer = await fetch(request.url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': request.method,
        'access-control-request-headers': wanted.join(','),
      },
    });
    const methods = [...list(answer.headers.get('access-control-allow-methods')), 'get', 'head', 'post'];
    const headers = list(answer.headers.get('access-control-allow-headers'));
    if (!answer.ok || !isAllowed(answer)) throw new TypeError('Failed to fetch: the origin is not allowed');
    if (!methods.includes(request.method.toLowerCase())) throw new TypeError(`Failed to fetch: ${request.method}`);
    const refused = wanted.find((name) => !headers.includes(name));
    if (refused !== undefined) throw new TypeError(`Failed to fetch: header ${refused}`);
  }

  return async (input, init) => {
    const request = new Request(input, init);
    const wanted = [...request.headers.keys()].filter((name) => !SIMPLE_HEADERS.includes(name));
    if (!SIMPLE_METHODS.includes(request.method) || wanted.length > 0) await ask(request, wanted);
    const headers = new Headers(request.headers);
    headers.set('origin', origin);
    const answer = await fetch(new Request(request, { headers }));
    if (!isAllowed(answer)) throw new TypeError('Failed to fetch: the answer is not for this origin');
    const exposed = [...READABLE_HEADERS, ...list(answer.headers.get('access-control-expose-headers'))];
    const readable = [...answer.headers].filter(([name]) => exposed.includes(name));
    const { status, statusText } = answer;
    return new Response(status === 204 || status === 304 ? null : answer.body, {
      status,
      statusText,
      headers: readable,
    });
  };
}
