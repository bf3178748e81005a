/** hugetlb on v2. Source: Documentation/admin-guide/cgroup-v2.rst, "HugeTLB Interface Files". */
import type { ResourceConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateHugetlb(sizes: NonNullable<ResourceConfig['hugetlb']>, _context: Context): Translation {
  const out = new Translator();
  for (const [size, { max, rsvdMax }] of Object.entries(sizes)) {
    out.optional(`hugetlb.${size}.rsvdMax`, `hugetlb.${size}.rsvd.max`, rsvdMax);
    out.optional(`hugetlb.${size}.max`, `hugetlb.${size}.max`, max);
  }
  return out;
}
