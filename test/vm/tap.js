// A programme of checks in one Node process: starting Node takes seconds under emulation.
const assert = require('node:assert/strict');

let count = 0;
let failed = 0;

async function check(name, act) {
  count++;
  try {
    await act(assert);
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${count} - ${name}`);
    console.log(String(error.stack).replace(/^/gm, '  # '));
  }
}

function plan() {
  console.log(`1..${count}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

module.exports = { check, plan };
