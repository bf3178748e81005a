// Labels as `ps -Z` and `ls -Z` show them: of this process, of programs in two sandboxes, and of files.
// node examples/selinux-labels/main.js [file...]
const { once } = require('node:events');
const { Sandbox, selinux } = require('../..');

const { enabled, mode, policy, reason } = selinux.status();
// As ps and ls do it where there are no labels.
const label = (read) => (enabled ? (read() ?? '?') : '-');

async function main() {
  console.log(enabled ? `SELinux: ${mode}, policy ${policy}\n` : `No labels here: ${reason}. They are shown as "-".\n`);
  const sandboxes = [await Sandbox.create({ id: 'first' }), await Sandbox.create({ id: 'second' })];
  const rows = [[label(() => selinux.currentContext()), process.pid, 'node (this process)']];
  for (const sandbox of sandboxes) {
    const program = sandbox.spawn('sleep', ['60']);
    await once(program, 'spawn');
    rows.push([label(() => selinux.processContext(sandbox.pid)), sandbox.pid, `init of sandbox ${sandbox.id}`]);
    rows.push([label(() => selinux.processContext(program.pid)), program.pid, `sleep in sandbox ${sandbox.id}`]);
  }
  table(['LABEL', 'PID', 'PROCESS'], rows);
  const files =
    process.argv.length > 2 ? process.argv.slice(2) : ['/usr/bin/env', '/etc/passwd', '/etc/shadow', '/tmp'];
  table(
    ['LABEL', 'FILE'],
    files.map((file) => [label(() => selinux.fileContext(file)), file]),
  );
  for (const { id, enforcement } of sandboxes) console.log(`sandbox ${id}:`, enforcement.selinux);
  for (const sandbox of sandboxes) await sandbox.delete();
}

function table(...[head, rows]) {
  const width = Math.max(...[head, ...rows].map(([first]) => first.length));
  for (const [first, ...rest] of [head, ...rows])
    console.log(
      `${first.padEnd(width)}  ${rest.map((cell) => (typeof cell === 'number' ? String(cell).padStart(7) : cell)).join('  ')}`,
    );
  console.log();
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
