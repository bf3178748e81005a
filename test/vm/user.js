// As an ordinary user in a service with Delegate=yes.
const cgroups = require('./cgroups');
const { plan } = require('./tap');

cgroups('user').then(plan);
