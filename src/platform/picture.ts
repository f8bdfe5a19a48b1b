import { fairQueue } from './fairQueue.ts';

interface Picture {
  bytes: Buffer;
  extension: 'jpg' | 'png' | 'webp';
  contentType: string;
}

/** Longest side of a stored picture, in pixels; phones show it much smaller. */
const MAX_SIDE = 1024;
/** Pictures with more pixels are refused before they are decoded. */
const MAX_INPUT_PIXELS = 25_000_000;
const TIMEOUT_SECONDS = 5;

const FORMATS = {
  jpg: { contentType: 'image/jpeg', starts: (b: Buffer) => b.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])) },
  png: {
    contentType: 'image/png',
    starts: (b: Buffer) => b.subarray(0, 8).equals(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')),
  },
  webp: {
    contentType: 'image/webp',
    starts: (b: Buffer) => b.toString('latin1', 0, 4) === 'RIFF' && b.toString('latin1', 8, 12) === 'WEBP',
  },
} as const;

/**
 * Reads an upload. Undefined: it is no JPEG, PNG or WebP that can be decoded.
 * @param owner id of the person who uploads; people take turns
 * @param signal gives up the turn when it aborts
 * @throws QueueFull, WaitedTooLong
 */
export type PictureCleaner = (upload: Buffer, owner: string, signal: AbortSignal) => Promise<Picture | undefined>;

/**
 * One picture at a time: decoding takes memory, and threads that passwords and signatures need too. Few may wait,
 * because a waiting upload is in memory.
 */
const TURNS = { atOnce: 1, atOncePerKey: 1, waitingPerKey: 15, waiting: 30, longestWaitMs: 8_000 };

export function buildPictureCleaner(): PictureCleaner {
  const turns = fairQueue(TURNS);
  return (upload, owner, signal) => turns(owner, () => cleanPicture(upload), signal);
}

/** With the first picture: the library takes 20 MB of memory. */
async function loadSharp() {
  const { default: sharp } = await import('sharp');
  sharp.cache(false); // no picture is decoded twice
  return sharp;
}

/**
 * Decodes an upload and encodes it again: turned upright, at most 1024 pixels a side, without metadata
 * (phones put their position there). The format is recognised by the bytes.
 */
async function cleanPicture(upload: Buffer): Promise<Picture | undefined> {
  const extensions = Object.keys(FORMATS) as Array<keyof typeof FORMATS>;
  const extension = extensions.find((name) => FORMATS[name].starts(upload));
  if (!extension) return undefined;
  const sharp = await loadSharp();
  try {
    const bytes = await sharp(upload, { limitInputPixels: MAX_INPUT_PIXELS })
      .autoOrient()
      .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: 'inside', withoutEnlargement: true })
      .toFormat(extension === 'jpg' ? 'jpeg' : extension)
      .timeout({ seconds: TIMEOUT_SECONDS })
      .toBuffer();
    return { bytes, extension, contentType: FORMATS[extension].contentType };
  } catch {
    return undefined;
  }
}
