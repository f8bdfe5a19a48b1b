import { type FakeServer, sendJson, startFake } from './http.ts';

export interface FakeSupabase extends FakeServer {
  /** Objects by `bucket/key`. */
  objects: Map<string, { bytes: Buffer; contentType: string }>;
  /** Every request as `METHOD path`. */
  requests: string[];
  isDown: boolean;
  /** Milliseconds before an upload is answered. */
  delay: number;
  /** Milliseconds before a list or a removal is answered. */
  removalDelay: number;
  /** Lists and removals that wait for their answer. */
  waiting: number;
}

/** The parts of Supabase Storage's HTTP protocol that its own client uses here. */
export async function startSupabase(): Promise<FakeSupabase> {
  const server = await startFake(async (req, body, res) => {
    const path = decodeURIComponent(req.url ?? '');
    fake.requests.push(`${req.method} ${path}`);
    if (fake.isDown) return sendJson(res, 503, { statusCode: '503', error: 'down', message: 'down' });
    if (req.headers.authorization !== 'Bearer service-role') return sendJson(res, 403, { message: 'forbidden' });
    const [, bucket = '', key = ''] = /^\/storage\/v1\/object\/(?:list\/)?([^/]+)\/?(.*)$/.exec(path) ?? [];
    if (req.method === 'DELETE' || path.startsWith('/storage/v1/object/list/')) {
      fake.waiting++;
      await new Promise((done) => setTimeout(done, fake.removalDelay));
      fake.waiting--;
    }
    if (path.startsWith('/storage/v1/object/list/')) {
      const { prefix } = JSON.parse(body.toString()) as { prefix: string };
      const names = [...fake.objects.keys()].filter((name) => name.startsWith(`${bucket}/${prefix}/`));
      return sendJson(
        res,
        200,
        names.map((name) => ({ name: name.slice(`${bucket}/${prefix}/`.length) })),
      );
    }
    if (req.method === 'GET') {
      const found = fake.objects.get(`${bucket}/${key}`);
      if (!found) return sendJson(res, 400, { statusCode: '404', error: 'not_found', message: 'Object not found' });
      res.writeHead(200, { 'content-type': found.contentType });
      res.end(found.bytes);
      return;
    }
    if (req.method === 'DELETE') {
      const { prefixes } = JSON.parse(body.toString()) as { prefixes: string[] };
      for (const prefix of prefixes) fake.objects.delete(`${bucket}/${prefix}`);
      return sendJson(
        res,
        200,
        prefixes.map((name) => ({ name })),
      );
    }
    await new Promise((done) => setTimeout(done, fake.delay));
    fake.objects.set(`${bucket}/${key}`, { bytes: body, contentType: req.headers['content-type'] ?? '' });
    return sendJson(res, 200, { Id: 'x', Key: `${bucket}/${key}` });
  });
  const fake: FakeSupabase = {
    ...server,
    objects: new Map(),
    requests: [],
    isDown: false,
    delay: 0,
    removalDelay: 0,
    waiting: 0,
  };
  return fake;
}
