/** Two builds in one clone wait for each other, and for nobody who has died. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const file = require.resolve('../../../scripts/bootstrap/lock.js');
const { lock } = require(file) as { lock(onWait: () => void): Promise<() => void> };

test('the second one waits until the first has ended, even by SIGKILL', async () => {
  const first = spawn(process.execPath, [
    '-e',
    `require(${JSON.stringify(file)}).lock().then(() => console.log('held'))`,
  ]);
  try {
    await once(first.stdout, 'data');
    let have = false;
    let second: Promise<() => void> | undefined;
    await new Promise<void>((waits) => {
      second = lock(waits);
      void second.then(() => {
        have = true;
      });
    });
    expect(have).toBe(false);
    first.kill('SIGKILL');
    (await (second as Promise<() => void>))();
  } finally {
    first.kill('SIGKILL');
  }
});
