// Looked at once, before anything else is loaded: some browsers call their language `C`, for which Intl throws.

/** @returns the language of the browser, or English where Intl has no such language */
function usable(): string {
  try {
    return Intl.getCanonicalLocales(navigator.language)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

/** The language of numbers and days. */
export const language = usable();

// Libraries ask the browser by themselves, and while they are loaded.
if (navigator.language !== language) Object.defineProperty(navigator, 'language', { value: language });
