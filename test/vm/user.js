// As an ordinary user in a delegated subtree.
const cgroups = require('./cgroups');
const { plan } = require('./tap');

cgroups('user').then(plan);
