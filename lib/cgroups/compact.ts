/** For figures that may not be there: leaves out what is undefined. */
export type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

export function compact<T extends object>(value: Loose<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
