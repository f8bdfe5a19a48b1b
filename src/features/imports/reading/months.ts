/** Months as Hevy writes them in the languages of its app, without case and final dot, each list from January on. */
const NAMES = [
  'jan feb mar apr may jun jul aug sep oct nov dec', // English
  'january february march april may june july august september october november december',
  'jan feb mär apr mai jun jul aug sep okt nov dez', // German
  'jan feb märz apr mai juni juli aug sept okt nov dez',
  'januar februar märz april mai juni juli august september oktober november dezember',
  'janv févr mars avr mai juin juil août sept oct nov déc', // French
  'janvier février mars avril mai juin juillet août septembre octobre novembre décembre',
  'ene feb mar abr may jun jul ago sept oct nov dic', // Spanish
  'ene feb mar abr may jun jul ago sep oct nov dic',
  'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  'jan fev mar abr mai jun jul ago set out nov dez', // Portuguese
  'janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro',
  'gen feb mar apr mag giu lug ago set ott nov dic', // Italian
  'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre',
  'jan feb mrt apr mei jun jul aug sep okt nov dec', // Dutch
  'januari februari maart april mei juni juli augustus september oktober november december',
];

const MONTHS = new Map(NAMES.flatMap((list) => list.split(' ').map((name, n) => [name, n + 1] as const)));

/** @returns 1 to 12, or undefined for what is no month in any of the languages */
export const monthOf = (name: string): number | undefined =>
  MONTHS.get(name.normalize('NFC').toLowerCase().replace(/\.$/, ''));
