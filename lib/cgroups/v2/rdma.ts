/** rdma (kernel 4.11). Source: Documentation/admin-guide/cgroup-v2.rst, "RDMA Interface Files". */
import type { ResourceConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateRdma(devices: NonNullable<ResourceConfig['rdma']>, _context: Context): Translation {
  const out = new Translator();
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(devices)) {
    const parts = [device];
    if (hcaHandles !== undefined) parts.push(`hca_handle=${hcaHandles}`);
    if (hcaObjects !== undefined) parts.push(`hca_object=${hcaObjects}`);
    if (parts.length > 1) out.write(`rdma.${device}`, 'rdma.max', parts.join(' '));
  }
  return out;
}
