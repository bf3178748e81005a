#!/usr/bin/env node
/** linux-isolate on the command line: picks the command, prints errors, sets the exit code. */
import { doctorCommand } from './doctor';
import { inspectCommand } from './inspect';
import { learnCommand } from './learn';
import { runCommand } from './run';
import { seccompCommand } from './seccomp';

const help = `Usage: linux-isolate <command>

  run [options] -- command [args…]   run a program in a sandbox (linux-isolate run --help)
  learn [options] -- command [args…] the smallest seccomp profile for a program (linux-isolate learn --help)
  seccomp <tool>                     compile, disasm, simulate, explain, diff (linux-isolate seccomp --help)
  inspect [pid]                      the namespaces of a process, or all that can be seen [--json] [--tree]
  doctor                             what this host can do [--json]
`;

/** The command itself failed, as opposed to the program it ran: as with chroot(1), env(1), timeout(1). */
const EXIT_SANDBOX_ERROR = 125;

async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  // The other commands have help of their own.
  if ((command === 'inspect' || command === 'doctor') && rest.some((arg) => arg === '--help' || arg === '-h'))
    return main(['help']);
  switch (command) {
    case 'run':
      return runCommand(rest);
    case 'learn':
      return learnCommand(rest);
    case 'seccomp':
      return seccompCommand(rest);
    case 'inspect':
      return inspectCommand(rest);
    case 'doctor':
      return doctorCommand(rest);
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(help);
      return command === undefined ? EXIT_SANDBOX_ERROR : 0;
    default:
      process.stderr.write(`linux-isolate: unknown command '${command}'\n\n${help}`);
      return EXIT_SANDBOX_ERROR;
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    process.stderr.write(`linux-isolate: ${error.message}\n`);
    process.exitCode = EXIT_SANDBOX_ERROR;
  },
);
