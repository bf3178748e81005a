#!/usr/bin/env node
/**
 * `npm run test:vm`: what this machine can't show, on one that has it. A stock Debian kernel with systemd and pure cgroup v2,
 * under emulation (no KVM needed): once with SELinux enforcing, once with AppArmor and Landlock.
 *
 *   npm run test:vm                        all boots, on the default kernel
 *   npm run test:vm -- --only enforcing    one boot, or one programme of it: --only enforcing/selinux
 *   npm run test:vm -- --kernel 6.1        another kernel; boots.js has the table
 *   npm run test:vm -- --shell enforcing   a root shell on the console of that boot; `poweroff -f` ends it
 *
 * The flow: options.js → image.sh (made once, cached outside the tree) → package.js (this build and the tests, as a second
 * drive) → per boot: machine.js (QEMU) → judge.js (TAP, kernel log, SELinux denials) → the summary. Inside, guest/start.sh runs
 * programmes: jest files of the ordinary suites and of programmes/, by guest/suite.ts.
 */
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { kernels } = require('./boots');
const { judge } = require('./judge');
const { boot, shell } = require('./machine');
const { parseOptions } = require('./options');
const { makePackage } = require('./package');

const say = (text) => console.log(`${new Date().toTimeString().slice(0, 8)}  ${text}`);
const tools = ['qemu-system-x86_64', 'debootstrap', 'mkfs.ext4', 'setfiles', 'getfattr'];

function requireTools() {
  if (process.getuid() !== 0) throw new Error('needs root, to make the image');
  const missing = tools.filter((tool) => spawnSync('which', [tool]).status !== 0);
  if (missing.length > 0)
    throw new Error(
      `needs ${missing.join(', ')}: apt-get install qemu-system-x86 debootstrap e2fsprogs policycoreutils attr`,
    );
}

function imageOf(kernel) {
  const script = path.join(__dirname, 'image.sh');
  const out = execFileSync(script, [kernel, kernels[kernel].suite], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [disk, directory] = out.trim().split(' ');
  return { disk, directory };
}

async function bootAndJudge(image, drive, wanted, log) {
  say(`boot '${wanted.name}' (some 40 s until the first programme)`);
  const verdict = judge(await boot(image, drive, wanted, log), wanted);
  const { passed, failed, skipped } = verdict;
  say(`boot '${wanted.name}': ${passed} passed, ${failed} failed, ${skipped} skipped; logs: ${log}.*`);
  return verdict;
}

/**
 * The emulator's threads race: a CPU may run its translation of code that another has patched since, and the kernel dies of an
 * `Oops: int3` in a place like __netif_receive_skb_core or set_next_task_fair, which no processor does. The kernel patches where a
 * feature gets its first user or loses its last: so the guest has one CPU until isolate-settle.service uses them all, and goes on to;
 * and where it stops to trust its clock, which a busy host gives it reason to: so it may not.
 * In case that is not enough: in CI what fails in two boots of two is ours; what fails in one is told, so that nobody takes it for
 * nothing.
 */
async function verdictOf(image, drive, wanted, log) {
  const first = await bootAndJudge(image, drive, wanted, log);
  if (first.failed === 0 || !process.env.CI) return first;
  for (const failure of first.failures) console.log(`  ? ${failure}`);
  say('failed: once more, to tell the emulator’s faults from ours');
  return bootAndJudge(image, drive, wanted, `${log}-again`);
}

async function main() {
  const { kernel, wanted, interactive } = parseOptions(process.argv.slice(2));
  requireTools();
  const logs = path.join(__dirname, '..', '..', '.cache', 'logs');
  const work = fs.mkdtempSync(path.join(os.tmpdir(), `linux-isolate-${process.pid}-vm-`));
  process.once('exit', () => fs.rmSync(work, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const image = imageOf(kernel);
  const drive = makePackage(work, wanted);
  if (interactive) return shell(image, drive, wanted[0]);
  fs.mkdirSync(logs, { recursive: true });
  const verdicts = [];
  for (const one of wanted) {
    verdicts.push(await verdictOf(image, drive, one, path.join(logs, `vm-${kernel}-${one.name}`)));
  }
  const sum = (key) => verdicts.reduce((total, verdict) => total + verdict[key], 0);
  for (const failure of verdicts.flatMap(({ failures }) => failures)) console.log(`  ! ${failure}`);
  say(`virtual machine: ${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
  process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(`test:vm: ${error.message}`);
  process.exitCode = 1;
});
