/** Options that exist, but elsewhere: in another call, deeper down, or in other tools by another name. */
const words: Readonly<Record<string, string>> = {
  binds: 'Use mounts',
  dns: 'It is an option of a network: network: { user: { dns } }, or Network.create()',
  egress: 'It is an option of a network: network: { bridge, egress } or { user: { egress } }',
  gid: 'Use user: { gid }',
  maxBuffer: 'Use maxOutput',
  ports: 'It is an option of a network: network: { bridge, ports } or { user: { ports } }',
  privileged: 'Use capabilities, seccomp, and mounts for what is needed',
  shell: "Run a shell: run('sh', ['-c', script])",
  size: 'Use min and max',
  stdio: 'Use stdin or input, stdout, stderr, and fds for others',
  uid: 'Use user: { uid }',
  volumes: 'Use mounts',
};

/** What to say to an option that this call doesn't have. `others`: those of another call, whose names are in `where`. */
export function elsewhere(others: readonly string[] = [], where = ''): (name: string) => string | undefined {
  return (name) => {
    if (others.includes(name)) return `It is an option of ${where}`;
    return Object.hasOwn(words, name) ? words[name] : undefined;
  };
}
