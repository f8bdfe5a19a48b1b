import type { Config } from '#src/config.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';

const TIMEOUT_MS = 5_000;
/** Where a browser gives a page a key. */
const SECURE = /^https:|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/;

/**
 * Looks whether PUBLIC_BASE_URL is the address at which people reach the page: a page that is open at another one is refused,
 * because its proofs name that one.
 */
export async function lookAtAddress({ PUBLIC_BASE_URL: address, production }: Config): Promise<Finding[]> {
  const found: Finding[] = [];
  if (!SECURE.test(address)) {
    const text = `Address: browsers give the page at ${address}/app no key, because that is neither https nor localhost. Serve it by https, and set PUBLIC_BASE_URL to that address.`;
    found.push(production ? fail(text) : warn(text));
  }
  try {
    const answer = await fetch(`${address}/app`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return [...found, whatAnswers(address, new URL(answer.url).origin, await answer.text())];
  } catch (error) {
    const text = `Address: nobody answers at PUBLIC_BASE_URL, ${address} (${reasonOf(error)}). Is the server started, and does this address lead to it?`;
    return [...found, warn(text)];
  }
}

function whatAnswers(address: string, origin: string, page: string): Finding {
  if (origin !== address)
    return fail(
      `Address: ${address} leads to ${origin}, where people would be refused. Set PUBLIC_BASE_URL=${origin}.`,
    );
  const [, expected] = /data-address="([^"]*)"/.exec(page) ?? [];
  if (expected === undefined) return warn(`Address: something else than this server answers at ${address}/app.`);
  if (expected !== address)
    return fail(
      `Address: the server at ${address} has PUBLIC_BASE_URL=${expected} and refuses people who open the page at ${address}. Set both to the address that people open.`,
    );
  return ok(`Address: people open the page at ${address}/app.`);
}
