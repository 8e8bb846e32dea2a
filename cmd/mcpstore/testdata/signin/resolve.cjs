// Loaded before a Node.js program (node --require): every host name under .test
// is this machine, as the stand-in for ngrok's edge has it.
const dns = require('node:dns');

const { lookup } = dns;
dns.lookup = (host, options, callback) =>
	lookup(host.endsWith('.test') ? '127.0.0.1' : host, options, callback);
