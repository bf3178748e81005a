/** Loads the addon on first use, so that importing the package never throws. */
import path from 'node:path';
import { UnsupportedError } from '../errors';
import type { Native } from './native';

// The package ships no types.
const nodeGypBuild = require('node-gyp-build') as (root: string) => unknown;

let loaded: Native | undefined;

/** The addon, or an UnsupportedError that says why there is none. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  if (process.platform !== 'linux') {
    throw new UnsupportedError('platform', `linux-isolate needs Linux; this is ${process.platform}`);
  }
  try {
    return nodeGypBuild(path.join(__dirname, '..', '..')) as Native;
  } catch (cause) {
    throw new UnsupportedError(
      'addon',
      `The native addon for ${process.platform}-${process.arch} could not be loaded: ${(cause as Error).message}`,
      { hint: 'Run `npx node-gyp rebuild` in the folder of linux-isolate (needs g++, make and python3)' },
      { cause },
    );
  }
}
