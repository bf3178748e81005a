/** `doctor`: one line for each thing that this host can or can't do. */
import { doctor } from '../sandbox';
import { parseArguments } from './arguments';

export async function doctorCommand(args: string[]): Promise<number> {
  const { values } = parseArguments({ args, options: { json: { type: 'boolean', default: false } } });
  const checks = await doctor();
  if (values.json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else {
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const { name, ok, detail, hint } of checks) {
      process.stdout.write(`${ok ? '✓' : '✗'} ${name.padEnd(width)}  ${detail}\n`);
      if (!ok && hint) process.stdout.write(`  ${' '.repeat(width)}  → ${hint}\n`);
    }
  }
  return checks.find(({ name }) => name === 'sandbox')?.ok ? 0 : 1;
}
