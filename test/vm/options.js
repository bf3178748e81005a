/** The command line of `npm run test:vm`; see run.js. */
const { parseArgs } = require('node:util');
const { boots, defaultKernel, kernels } = require('./boots');

const list = (names) => names.map((name) => `'${name}'`).join(', ');

/** `enforcing`, or `enforcing/selinux`: the boots with the programmes that are wanted. Throws on a name that nothing has. */
function select(only, all = boots) {
  if (only === undefined) return all;
  const [boot, programme] = only.split('/');
  const selected = all
    .filter(({ name }) => name === boot)
    .map((one) => ({
      ...one,
      programmes: one.programmes.filter(({ name }) => programme === undefined || name === programme),
    }));
  if (selected.every(({ programmes }) => programmes.length === 0)) {
    const names = all.flatMap(({ name, programmes }) => [name, ...programmes.map((p) => `${name}/${p.name}`)]);
    throw new Error(`no boot or programme '${only}'; there are ${list(names)}`);
  }
  return selected;
}

/** What each programme may count on, on that kernel. */
const on = (kernel, wanted) =>
  wanted.map((boot) => ({
    ...boot,
    programmes: boot.programmes.map((programme) => ({
      ...programme,
      require: programme.require
        .split(',')
        .filter((name) => !kernels[kernel].lacks.includes(name))
        .join(','),
    })),
  }));

function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: { kernel: { type: 'string' }, only: { type: 'string' }, shell: { type: 'string' } },
  });
  const { kernel = defaultKernel, only, shell } = values;
  if (!Object.hasOwn(kernels, kernel))
    throw new Error(`no kernel '${kernel}'; there are ${list(Object.keys(kernels))}`);
  return { kernel, wanted: on(kernel, select(shell ?? only)), interactive: shell !== undefined };
}

module.exports = { parseOptions, select };
