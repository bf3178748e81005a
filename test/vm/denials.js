/** SELinux denials that Debian's own policy and services cause at boot; everything else must be announced by a test. */
const usual = [
  { source: 'syslogd_t', target: 'tmpfs_t', class: 'dir', permissions: ['search'] },
  { source: 'systemd_tmpfiles_t', target: 'user_home_dir_t', class: 'dir', permissions: ['relabelfrom'] },
];

module.exports = { usual };
