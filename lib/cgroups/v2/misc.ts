/** misc (kernel 5.13). Source: Documentation/admin-guide/cgroup-v2.rst, "Misc". */
import type { ResourceConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateMisc(resources: NonNullable<ResourceConfig['misc']>, _context: Context): Translation {
  const out = new Translator();
  for (const [name, max] of Object.entries(resources)) out.write(`misc.${name}`, 'misc.max', `${name} ${max}`);
  return out;
}
