// A profile of one's own for each of three interpreters: learned from a few runs, enforced on others. The same work on other data
// passes; what the program never did before is refused, and told by name.
const { run, seccomp } = require('../..');

const programs = {
  python3: {
    work: (n) => ['-c', `import json, hashlib; print(hashlib.md5(json.dumps(list(range(${n}))).encode()).hexdigest())`],
    attacks: {
      'opens a socket': ['-c', 'import socket; socket.socket()'],
      'starts a shell': ['-c', 'import os; os.system("id")'],
      'makes a directory': ['-c', 'import os; os.mkdir("/tmp/d")'],
    },
  },
  node: {
    work: (n) => ['-e', `console.log(JSON.stringify(Array.from({ length: ${n} }, (_, i) => i)).length)`],
    attacks: {
      'opens a socket': ['-e', 'require("net").connect(80, "127.0.0.1")'],
      'removes a file': ['-e', 'require("fs").rmSync("/tmp/x")'],
      'makes a directory': ['-e', 'require("fs").mkdirSync("/tmp/d")'],
    },
  },
  perl: {
    work: (n) => ['-e', `my %h; $h{$_ % 97}++ for 1..${n}; print join(",", map { $h{$_} } sort keys %h), "\n"`],
    attacks: {
      'opens a socket': ['-e', 'socket(my $s, 2, 1, 0) or die $!'],
      'starts a shell': ['-e', 'system("id; true") == 0 or die $!'],
      'signals all': ['-e', 'kill(9, -1) or die $!'],
    },
  },
};
const timeout = 20_000;

async function main() {
  let failed = false;
  const line = (ok, ...cells) => {
    failed ||= !ok;
    console.log(`${ok ? '  ' : '✗ '}${cells.join('  ')}`);
  };
  for (const [command, { work, attacks }] of Object.entries(programs)) {
    const learned = await seccomp.learn(async (record) => {
      for (const n of [10, 1000, 20_000]) await run(command, work(n), { timeout, seccomp: { record } });
    });
    const profile = learned.profile();
    const removed = seccomp.diff('default', profile).filter(({ change }) => change === 'refused');
    console.log(
      `${command}: ${learned.counts.size} calls learned, ${removed.length} of the default profile's are gone`,
    );
    for (const n of [3, 5000]) {
      const { ok, stdout, stderr } = await run(command, work(n), { timeout, seccomp: profile });
      line(ok, `work on ${n} items`.padEnd(20), (stdout || stderr).trim().slice(0, 40));
    }
    for (const [what, args] of Object.entries(attacks)) {
      const { violations } = await run(command, args, { timeout, seccomp: { profile, trace: true } });
      line(violations.length > 0, what.padEnd(20), `refused: ${violations.map(({ syscall }) => syscall).join(', ')}`);
    }
  }
  process.exitCode = failed ? 1 : 0;
}
main();
