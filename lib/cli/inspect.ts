/** `inspect [pid]`: namespaces in the columns of lsns(8), as a tree of owners, or as JSON. */
import type { NamespaceEntry, NamespaceNode } from '../../types/namespaces';
import { IsolateError } from '../errors';
import { all, list, tree, userName } from '../namespaces';
import { parseArguments } from './arguments';
import { plain } from './plain';
import { table } from './table';

export async function inspectCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArguments({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, tree: { type: 'boolean', default: false } },
  });
  const [text, more] = positionals;
  if (text !== undefined && !/^\d+$/.test(text)) throw new IsolateError('ERR_INVALID_OPTIONS', `'${text}' is no pid`);
  if (more !== undefined) throw new IsolateError('ERR_INVALID_OPTIONS', `one pid at a time, got also '${more}'`);
  const pid = text === undefined ? undefined : Number(text);
  const found = values.tree ? tree(pid) : pid === undefined ? all() : list(pid);
  if (values.json) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (values.tree) process.stdout.write(`${drawTree(found as NamespaceNode[])}\n`);
  else process.stdout.write(`${drawList(found as NamespaceEntry[])}\n`);
  return 0;
}

const COMMAND_WIDTH = 60;

function whose({ processes, pid, uid, command, pins }: NamespaceEntry): string[] {
  const text = pid === undefined ? (pins[0] ?? '(no process)') : (command ?? '');
  return [String(processes), pid === undefined ? '' : String(pid), uid === undefined ? '' : userName(uid), short(text)];
}

/** Cut on the right. */
function short(text: string): string {
  const clean = plain(text);
  return clean.length > COMMAND_WIDTH ? `${clean.slice(0, COMMAND_WIDTH - 1)}…` : clean;
}

function drawList(entries: readonly NamespaceEntry[]): string {
  const rows = entries.map((entry) => [
    String(entry.inode),
    entry.kind,
    entry.owner === undefined ? '' : String(entry.owner),
    ...whose(entry),
  ]);
  return table([['NS', 'TYPE', 'OWNER', 'NPROCS', 'PID', 'USER', 'COMMAND'], ...rows], [0, 2, 3, 4]);
}

function drawTree(roots: readonly NamespaceNode[]): string {
  const rows: string[][] = [];
  const draw = ({ entry, children }: NamespaceNode, first: string, rest: string): void => {
    rows.push([`${first}${entry.kind} ${entry.inode}`, ...whose(entry)]);
    for (const [i, child] of children.entries()) {
      const last = i === children.length - 1;
      draw(child, `${rest}${last ? '└─' : '├─'}`, `${rest}${last ? '  ' : '│ '}`);
    }
  };
  for (const root of roots) draw(root, '', '');
  return table([['NAMESPACE', 'NPROCS', 'PID', 'USER', 'COMMAND'], ...rows], [1, 2]);
}
