// As root: the whole machine's cgroups.
const cgroups = require('./cgroups');
const { plan } = require('./tap');

cgroups('root').then(plan);
