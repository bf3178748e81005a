// What the project promises of itself, each as a ratio of figures of this run.
export function targets(sections) {
  const find = (section, id) => sections.find((s) => s.name === section)?.rows.find((row) => row.id === id);
  const value = (section, id) => find(section, id)?.median;
  const ratio = (section, a, b) => {
    const [x, y] = [find(section, a), find(section, b)];
    return x && y ? x.median / y.median : undefined;
  };
  const peer = (name, least) => ['launch', `${name} ÷ cold run`, ratio('launch', name, 'cold'), '≥', least];
  const all = [
    ['launch', 'cold run ÷ floor of the same work', ratio('launch', 'cold', 'floor'), '≤', 1.15],
    ['launch', 'cold run ÷ child_process.spawn', ratio('launch', 'cold', 'spawn'), '≤', 1],
    ['launch', 'warm pool.run, fresh ÷ child_process.spawn', ratio('launch', 'pool', 'spawn'), '≤', 0.5],
    ['launch', 'warm pool.run, fresh ÷ floor, exec only', ratio('launch', 'pool', 'floor-exec'), '≤', 1.25],
    ['heap', 'cold run at 1 GB ÷ child_process.spawn at 1 GB', ratio('heap', 'cold-1024', 'spawn-1024'), '≤', 0.06],
    ['heap', 'cold run at 1 GB ÷ at 50 MB', ratio('heap', 'cold-1024', 'cold-50'), '≤', 1.1],
    peer('bwrap', 3),
    peer('crun', 5),
    peer('runc', 15),
    ['sustained', 'launches per second, 8 at once ÷ floor', ratio('sustained', 'cold', 'floor'), '≥', 0.85],
    ['sustained', 'event loop delay, p99, ms', find('sustained', 'delay')?.p99, '≤', 5],
    ['idle', 'processes of an idle sandbox', value('idle', 'processes'), '≤', 2],
    ['idle', 'private memory of an idle sandbox, KiB', value('idle', 'memory'), '≤', 300],
    ['idle', 'descriptors of an idle sandbox in Node', value('idle', 'fds'), '≤', 3],
    ['idle', 'threads of an idle sandbox in Node', value('idle', 'threads'), '≤', 0],
    ['many', '1,000 alive: created, s', per1000(find('many', 'create')), '≤', 5],
    ['many', '1,000 alive: deleted, s', per1000(find('many', 'delete')), '≤', 3],
    ['many', '1,000 alive: left behind', value('many', 'left'), '≤', 0],
    [
      'options',
      'with cgroup limits − without, ms',
      difference(find('options', 'cgroup'), find('options', 'cold')),
      '≤',
      0.5,
    ],
    ['throughput', 'stdout: sandbox ÷ child_process', ratio('throughput', 'sandbox', 'spawn'), '≥', 1],
  ];
  return all
    .filter(([, , figure]) => figure !== undefined)
    .map(([section, name, figure, relation, limit]) => ({
      section,
      name,
      figure,
      target: `${relation} ${limit}`,
      met: relation === '≤' ? figure <= limit : figure >= limit,
    }));
}

const per1000 = (row) => row && (row.median * 1000) / row.count;
const difference = (a, b) => (a && b ? (a.median - b.median) / 1000 : undefined);
