import { type Addressee, compose } from '#platform/mail/letter.ts';
import type { Mail } from '#platform/mail/mail.ts';

/** The mail that proves an address (behaviour 4.11). */
export const verificationMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Confirm your Strong Together account',
    preview: 'One tap and your account is ready.',
    paragraphs: ['Welcome to Strong Together! Please confirm that this address is yours.'],
    action: { label: 'Confirm my address', link },
    closing: 'The link works for one hour. If you did not sign up, you can ignore this mail.',
  });

export const resetMail = (addressee: Addressee, link: string): Mail =>
  compose(addressee, {
    subject: 'Reset your password',
    preview: 'Choose a new password within five minutes.',
    paragraphs: ['Somebody, probably you, asked for a new password for your account.'],
    action: { label: 'Choose a new password', link },
    closing: 'The link works once, for five minutes. If it was not you, ignore this mail: nothing has changed.',
  });

export const passwordChangedMail = (addressee: Addressee): Mail =>
  compose(addressee, {
    subject: 'Your Strong Together password was changed',
    preview: 'All phones were signed out.',
    paragraphs: ['The password of your account was changed, and every phone was signed out.'],
    closing: 'If it was not you, reset your password now and answer this mail.',
  });
