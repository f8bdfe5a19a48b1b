import { DAY, defineLimit } from '#platform/limits.ts';

export const importsByPerson = defineLimit('import', 20, DAY, 'At most 20 files can be imported a day.');
