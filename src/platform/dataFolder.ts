import { accessSync, constants, mkdirSync } from 'node:fs';
import { StartupError } from './startupError.ts';

/** Makes a folder for what is kept between starts. @throws StartupError when it cannot be written */
export function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`The data folder ${folder} cannot be written (${code}): set DATA_DIR to another one.`);
  }
}
