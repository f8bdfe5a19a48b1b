import { type Addressee, compose } from '#platform/mail/letter.ts';
import type { Mail } from '#platform/mail/mail.ts';

export const codeMail = (addressee: Addressee, code: string): Mail =>
  compose(addressee, {
    subject: 'Your Strong Together sign-in code',
    preview: 'It works for ten minutes, once.',
    paragraphs: ['Somebody, probably you, wants to sign in without a password. The code is:', code],
    closing: 'It works once, for ten minutes. If it was not you, ignore this mail: without the code nobody gets in.',
  });
