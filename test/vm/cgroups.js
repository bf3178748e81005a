// Limits on pure cgroup v2, the same for root and for a user with a delegated subtree.
const fs = require('node:fs');
const { run, Sandbox } = require('../..');
const { check } = require('./tap');

const python = (script, options) => run('/usr/bin/python3', ['-c', script], { timeout: 60_000, ...options });
const cgroupOf = (pid) => /^0::(.*)$/m.exec(fs.readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];

module.exports = async function cgroups(who) {
  await check(`${who}: a program runs`, async (assert) => {
    const r = await run('/usr/bin/id', ['-u'], { timeout: 60_000 });
    assert.deepEqual([r.reason, r.exitCode, r.stdout, r.stderr], ['exited', 0, '1000\n', '']);
  });
  await check(`${who}: over memory.max: oom, from memory.events`, async (assert) => {
    const r = await python('x = bytearray(200 << 20)', { memory: '48MiB' });
    assert.equal(r.reason, 'oom', JSON.stringify(r));
    assert.deepEqual([r.evidence.source, r.evidence.key, r.evidence.value], ['memory.events', 'oom_kill', 1]);
  });
  await check(`${who}: within memory.max, with memory.peak as the peak`, async (assert) => {
    const r = await python('x = bytearray(20 << 20)', { memory: '128MiB' });
    assert.deepEqual([r.reason, r.exitCode, r.usage.memoryPeakSource], ['exited', 0, 'memory.peak'], JSON.stringify(r));
    assert.ok(
      r.usage.memoryPeakBytes > 20 << 20 && r.usage.memoryPeakBytes < 60 << 20,
      String(r.usage.memoryPeakBytes),
    );
  });
  await check(`${who}: pids.max holds`, async (assert) => {
    const script =
      'import os,time\nn=0\ntry:\n  while True:\n    if os.fork()==0: time.sleep(60)\n    n+=1\nexcept OSError: print(n)\nos.kill(-1,9)';
    const r = await python(script, { pids: 8 });
    assert.equal(r.stdout, '7\n', JSON.stringify(r));
  });
  await check(`${who}: cpu.max holds`, async (assert) => {
    const spin = 'import time\nt=time.monotonic()\nwhile time.monotonic()-t<3: pass';
    const [half, full] = [await python(spin, { cpus: 0.25 }), await python(spin, { pids: 8 })];
    assert.ok(half.usage.cpuTimeUs < full.usage.cpuTimeUs * 0.6, `${half.usage.cpuTimeUs} of ${full.usage.cpuTimeUs}`);
  });
  await check(
    `${who}: init is born into its cgroup, paused by the freezer, and the directory goes with it`,
    async (assert) => {
      const sandbox = await Sandbox.create({ memory: '64MiB', pids: 16 });
      const path = cgroupOf(sandbox.pid);
      const directory = `/sys/fs/cgroup${path}`;
      assert.ok(fs.readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').includes(String(sandbox.pid)));
      assert.notEqual(path, cgroupOf('self'));
      await sandbox.pause();
      await sandbox.resume();
      await sandbox.delete();
      assert.ok(!fs.existsSync(directory), `${directory} is still there`);
    },
  );
};
