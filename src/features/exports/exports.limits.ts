import { defineLimit, HOUR } from '#platform/limits.ts';

export const exportsByPerson = defineLimit('export', 10, HOUR, 'At most 10 files can be exported an hour.');
