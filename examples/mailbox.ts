import { BASE_URL } from './serverUrl.ts';

/** Waits for the verification mail in the development mailbox of the server and opens its link. */
export async function openVerificationLink(email: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const response = await fetch(`${BASE_URL}/dev/mailbox/json?to=${encodeURIComponent(email)}`);
    if (response.status === 404) throw new Error('this server has no development mailbox');
    const [mail] = (await response.json()) as Array<{ text: string }>;
    const link = mail && /https?:\/\/\S+/.exec(mail.text)?.[0];
    if (link) {
      const page = await fetch(link);
      if (!page.ok) throw new Error(`the link answered ${page.status}`);
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error('no mail came');
}
