import { accessSync, constants, mkdirSync, renameSync, writeFileSync } from 'node:fs';
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

/**
 * Writes a file that only its owner may read: as another file that is then renamed, so that after a crash there is
 * either the old one or the new one.
 * @throws StartupError when it cannot be written
 */
export function replaceFile(file: string, text: string): void {
  const part = `${file}.part`;
  try {
    writeFileSync(part, text, { mode: 0o600, flush: true });
    renameSync(part, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(
      `The file ${file} cannot be written (${code}): mend that, or set DATA_DIR to another folder.`,
    );
  }
}
