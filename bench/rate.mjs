// How many times per second something can be done by so many at once.
export async function rate(act, seconds, workers) {
  const end = performance.now() + seconds * 1000;
  const started = performance.now();
  let done = 0;
  const work = async () => {
    while (performance.now() < end) {
      await act();
      done++;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return done / ((performance.now() - started) / 1000);
}
