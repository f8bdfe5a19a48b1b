import { type Addressee, compose } from '#platform/mail/letter.ts';
import type { Mail } from '#platform/mail/mail.ts';

export const emailChangeMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Confirm your Strong Together Email',
    preview: 'Confirm your new address within ten minutes.',
    paragraphs: ['Please confirm that this is the new address of your account.'],
    action: { label: 'Confirm my new address', link },
    closing: 'The link works for ten minutes. If you did not ask for this, you can ignore this mail.',
  });

export const emailChangedMail = (addressee: Addressee): Mail =>
  compose(addressee, {
    subject: 'Your Strong Together Email was changed',
    preview: 'Your account now has another address.',
    paragraphs: ['The address of your account was changed, and mails no longer go here.'],
    closing: 'If it was not you, answer this mail at once.',
  });
