// What "Try it out" needs to play the app: a key, the tokens of the last sign-in, and a proof for each request.
// Everything is kept in the page and ends with it. No build step: browsers load this file as it is.

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
/** What the page fills in by itself. */
const OWN_HEADERS = ['X-App-Version', 'DPoP', 'DPoP-Key-Binding', 'X-Refresh-Token'];

const HOW_TO = `**Try it out** acts as a phone with a key of its own: register with \`POST /api/users/create\`, open
the link in the mail (without a mail provider it waits in [the mailbox](/dev/mailbox)), log in with
\`POST /api/auth/login\`. From then on every request is sent with the tokens and a proof, until this page is closed.
An access token lasts for minutes; \`POST /api/auth/refresh\` gets the next one.`;
const NO_CRYPTO = `**Try it out** works here for what needs no proof. Browsers make keys for \`https://\` and for
\`http://localhost\` only: open this page there for the rest.`;

/**
 * @param document the OpenAPI document: it says which headers an operation takes
 * @param surroundings the app version to send, and the origin of the page
 */
export function buildTryItOut(document, { appVersion, origin }) {
  const hasCrypto = globalThis.crypto?.subtle !== undefined;
  const operations = Object.entries(document.paths).map(([template, methods]) => ({
    path: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    methods,
  }));
  let key;
  let tokens = {};

  const operationOf = (method, pathname) =>
    operations.find(({ path }) => path.test(pathname))?.methods[method.toLowerCase()];

  /** Adds what the app would send. Takes and returns the request of Swagger UI: url, method and headers. */
  async function sign(request) {
    const { pathname } = new URL(request.url, origin);
    const operation = operationOf(request.method, pathname);
    request.headers['X-App-Version'] = appVersion;
    if (!operation || !hasCrypto) return request;
    key ??= makeKey();
    const takes = (header) => operation.parameters.some(({ name }) => name === header);
    const isProtected = operation.security.length > 0;
    if (takes('DPoP-Key-Binding')) request.headers['DPoP-Key-Binding'] = (await key).thumbprint;
    if (takes('X-Refresh-Token') && tokens.refreshToken) {
      request.headers['X-Refresh-Token'] = `DPoP ${tokens.refreshToken}`;
    }
    if (isProtected && tokens.accessToken) request.headers.Authorization = `DPoP ${tokens.accessToken}`;
    if (takes('DPoP')) {
      const target = { method: request.method.toUpperCase(), url: origin + pathname };
      request.headers.DPoP = await makeProof(await key, target, isProtected ? tokens.accessToken : undefined);
    }
    return request;
  }

  /** Keeps the tokens of an answer, if it brings any. */
  function keep(response) {
    const { accessToken, refreshToken } = parsed(response.text);
    if (typeof accessToken === 'string') tokens = { accessToken, refreshToken };
    return response;
  }

  return { sign, keep, document: shown(document, origin, hasCrypto ? HOW_TO : NO_CRYPTO) };
}

/** The document as the page shows it: sent to the page's own origin, without fields for what the page fills in. */
function shown(document, origin, howTo) {
  const withoutOwn = (operation) => {
    const { security: _, ...rest } = operation;
    return { ...rest, parameters: operation.parameters.filter(({ name }) => !OWN_HEADERS.includes(name)) };
  };
  const paths = Object.entries(document.paths).map(([path, methods]) => [
    path,
    Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, withoutOwn(operation)])),
  ]);
  return {
    ...document,
    info: { ...document.info, description: `${document.info.description}\n\n${howTo}` },
    servers: [{ url: origin }],
    paths: Object.fromEntries(paths),
    components: { schemas: document.components.schemas },
  };
}

async function makeKey() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const { x, y } = await crypto.subtle.exportKey('jwk', publicKey);
  const thumbprint = await sha256(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`); // RFC 7638
  return { privateKey, jwk: { kty: 'EC', crv: 'P-256', x, y }, thumbprint };
}

/** RFC 9449, section 4.2. */
async function makeProof({ privateKey, jwk }, { method, url }, accessToken) {
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk };
  const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000) };
  if (accessToken) claims.ath = await sha256(accessToken);
  const signed = [header, claims].map((part) => base64url(bytesOf(JSON.stringify(part)))).join('.');
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, bytesOf(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

const sha256 = async (text) => base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(text))));
const bytesOf = (text) => new TextEncoder().encode(text);
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
