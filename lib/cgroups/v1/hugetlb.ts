/** hugetlb on v1. Source: Documentation/admin-guide/cgroup-v1/hugetlb.rst. */
import type { ResourceConfig } from '../config';
import { type Context, type Translation, Translator } from '../translation';

export function translateHugetlb(sizes: NonNullable<ResourceConfig['hugetlb']>, _context: Context): Translation {
  const out = new Translator();
  for (const [size, { max, rsvdMax }] of Object.entries(sizes)) {
    const number = (limit: number | 'max') => (limit === 'max' ? -1 : limit);
    if (rsvdMax !== undefined)
      out.write(`hugetlb.${size}.rsvdMax`, `hugetlb.${size}.rsvd.limit_in_bytes`, number(rsvdMax));
    if (max !== undefined) out.write(`hugetlb.${size}.max`, `hugetlb.${size}.limit_in_bytes`, number(max));
  }
  return out;
}
