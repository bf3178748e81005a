/** `inspect [pid]`: namespaces in the columns of lsns(8). */
import { parseArgs } from 'node:util';
import { IsolateError } from '../errors';
import { all, list, userName } from '../namespaces';
import { table } from './table';

export async function inspectCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  });
  const [text] = positionals;
  if (text !== undefined && !/^\d+$/.test(text)) throw new IsolateError('ERR_INVALID_OPTIONS', `'${text}' is no pid`);
  const entries = text === undefined ? all() : list(Number(text));
  if (values.json) process.stdout.write(`${JSON.stringify(entries, null, 2)}\n`);
  else {
    const rows = entries.map((e) => [
      String(e.inode),
      e.kind,
      String(e.processes),
      String(e.pid),
      userName(e.uid),
      e.command.slice(0, 60),
    ]);
    process.stdout.write(`${table([['NS', 'TYPE', 'NPROCS', 'PID', 'USER', 'COMMAND'], ...rows], [0, 2, 3])}\n`);
  }
  return 0;
}
