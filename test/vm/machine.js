/** QEMU without KVM. The console is the first serial line, the report the second; nothing is written to the image. */
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

/** Lines of the report that a person wants to see as they come. */
const SHOWN = /^(ok|not ok|# (kernel \d|programme|status [^0])| {2}\| )/;

function args({ disk, directory }, drive, line) {
  return [
    ...['-accel', 'tcg,thread=multi', '-smp', '2', '-cpu', 'max', '-m', '2048', '-display', 'none', '-no-reboot'],
    ...['-nic', 'none', '-kernel', path.join(directory, 'vmlinuz'), '-initrd', path.join(directory, 'initrd')],
    ...['-append', line],
    ...['-drive', `file=${disk},format=raw,if=virtio,cache=unsafe,snapshot=on`],
    ...['-drive', `file=${drive},format=raw,if=virtio,readonly=on`],
  ];
}

/** The kernel's messages about denials come in bursts, none of which may be dropped. One CPU at first, and no doubts about the clock: see run.js. */
const line = (boot, name) =>
  `root=/dev/vda rw console=ttyS0 panic=-1 quiet loglevel=4 log_buf_len=4M sysctl.kernel.printk_ratelimit=0 ` +
  `systemd.show_status=0 maxcpus=1 tsc=reliable isolate.boot=${name} ${boot.line}`;

/** Gives the report's lines, the console's text and whether it ended in time. */
function boot(image, drive, wanted, log) {
  const console = `${log}.console`;
  const serial = ['-serial', `file:${console}`, '-serial', 'stdio'];
  const child = spawn('qemu-system-x86_64', [...args(image, drive, line(wanted, wanted.name)), ...serial], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  const lines = [];
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, wanted.deadline * 1000);
  readline.createInterface({ input: child.stdout }).on('line', (raw) => {
    const text = raw.replace(/\r/g, '');
    lines.push(text);
    if (SHOWN.test(text) && !lines.includes('# kernel log')) globalThis.console.log(`  ${text}`);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      process.off('exit', end);
      fs.writeFileSync(`${log}.report`, `${lines.join('\n')}\n`);
      resolve({ lines, console: fs.readFileSync(console, 'utf8'), late });
    });
  });
}

/** The console on this terminal. */
function shell(image, drive, wanted) {
  const serial = ['-serial', 'mon:stdio', '-serial', 'null'];
  spawnSync('qemu-system-x86_64', [...args(image, drive, line(wanted, 'shell')), ...serial], { stdio: 'inherit' });
}

module.exports = { boot, shell };
