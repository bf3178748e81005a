/** What is made from things that never change: made again only when one of them is another one. */

/** Keeps, for each `key`, the result for the last `facts`. Both are compared by identity: for frozen objects, and values. */
export function remembered<K extends object, F extends object, R>(
  make: (key: K, facts: F) => R,
): (key: K, facts: F) => R {
  const results = new WeakMap<K, { readonly facts: F; readonly result: R }>();
  return (key, facts) => {
    const known = results.get(key);
    if (known && isSame(facts, known.facts)) return known.result;
    const result = make(key, facts);
    results.set(key, { facts, result });
    return result;
  };
}

function isSame<F extends object>(a: F, b: F): boolean {
  for (const name in a) if (a[name] !== b[name]) return false;
  return true;
}
