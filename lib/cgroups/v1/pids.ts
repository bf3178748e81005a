/** pids on v1: the same file as on v2. Source: Documentation/admin-guide/cgroup-v1/pids.rst. */
export { translatePids } from '../v2/pids';
