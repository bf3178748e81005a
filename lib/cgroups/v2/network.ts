/** Traffic on v2: there is no controller; a BPF program counts. */
import type { NetworkConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateCount(_network: NetworkConfig, _context: Context): Translation {
  const out = new Translator();
  out.programs.push({ option: 'network.count', attach: 'traffic' });
  return out;
}
