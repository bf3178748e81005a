/**
 * What a boot showed: TAP counted, programmes that broke off, kernel oopses, and SELinux denials that nobody expected. A test that
 * provokes a denial says so in the report, and then it must be in the kernel's log: that is the proof of who refused.
 */
const { usual } = require('./denials');

const BAD = /\b(Oops|BUG:|WARNING:|Kernel panic|general protection fault|soft lockup|hung task|UBSAN|KASAN)/;
/** `avc:  denied  { read } for … scontext=u:r:TYPE:… tcontext=u:r:TYPE:… tclass=file permissive=0` */
const AVC =
  /avc: +denied +\{ ([^}]+) \} .*scontext=[^:]+:[^:]+:([^:\s]+).*tcontext=[^:]+:[^:]+:([^:\s]+).* tclass=(\w+)/;

function denials(kernelLog) {
  return kernelLog.flatMap((text) => {
    const [, permissions, source, target, tclass] = AVC.exec(text) ?? [];
    return source === undefined
      ? []
      : permissions
          .trim()
          .split(' ')
          .map((permission) => ({ source, target, class: tclass, permission, text }));
  });
}

const key = ({ source, target, class: tclass, permission }) => `${source} ${target} ${tclass} ${permission}`;

/** The first lines below a failed test. */
function reasonAfter(report, at) {
  const below = report.slice(at + 1);
  const end = below.findIndex((text) => !text.startsWith('  | '));
  const shown = below.slice(0, end < 0 ? below.length : end).slice(0, 6);
  return shown.map((text) => `\n    ${text}`).join('');
}

function judge({ lines, console, late }, { programmes, deadline }) {
  const at = lines.indexOf('# kernel log');
  const report = at < 0 ? lines : lines.slice(0, at);
  const kernelLog = [...(at < 0 ? [] : lines.slice(at + 1)), ...console.split(/\r?\n/)];
  const problems = [];
  if (late) problems.push(`not within ${deadline} s`);
  if (report.includes('# not settled')) problems.push('isolate-settle.service does not hold what it should (run.js)');
  if (lines.at(-1) !== '# end')
    problems.push(`the guest did not finish; its last words:\n${console.split(/\r?\n/).slice(-25).join('\n')}`);
  const ended = report.filter((text) => text.startsWith('# status ')).length;
  if (ended < programmes.length)
    problems.push(`${programmes.length - ended} of ${programmes.length} programmes did not end`);
  const plans = report.filter((text) => /^1\.\.[1-9]/.test(text)).length;
  if (plans < ended) problems.push(`${ended - plans} programmes broke off before their plan`);
  problems.push(...[...new Set(kernelLog.filter((text) => BAD.test(text)))].map((text) => `kernel: ${text}`));

  const announced = new Set(report.flatMap((text) => /^# denial (.*)/.exec(text)?.[1] ?? []));
  const seen = denials(kernelLog);
  const isUsual = (denial) =>
    usual.some(
      (one) =>
        one.source === denial.source &&
        one.target === denial.target &&
        one.class === denial.class &&
        one.permissions.includes(denial.permission),
    );
  const odd = seen.filter((denial) => !announced.has(key(denial)) && !isUsual(denial));
  problems.push(...[...new Set(odd.map(({ text }) => text))].map((text) => `unexpected denial: ${text}`));
  const missed = [...announced].filter((one) => !seen.some((denial) => key(denial) === one));
  problems.push(...missed.map((one) => `no denial in the log: ${one}`));

  const passed = report.filter((text) => /^ok .*(?<!# SKIP)$/.test(text)).length;
  const skipped = report.filter((text) => /^ok .*# SKIP$/.test(text)).length;
  // With what the guest said about each, so that the last lines of a long log tell what is wrong.
  const failures = report.flatMap((text, at) =>
    text.startsWith('not ok ') ? [`${text}${reasonAfter(report, at)}`] : [],
  );
  return { passed, failed: failures.length + problems.length, skipped, failures: [...failures, ...problems] };
}

module.exports = { judge };
