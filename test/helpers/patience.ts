/** How many times longer than usual things may take: emulation is five to ten times slower than what the deadlines are made for. */
export const patience = Number(process.env.LINUX_ISOLATE_PATIENCE ?? 1);
