/**
 * Resolves host names to this machine, so that clients can use virtual hosts and custom domains: every name below
 * `.test`, and those in XSYNC_TEST_HOSTS (separated by commas, each with its subdomains). Other names are resolved as
 * usual. Loaded into the tests by vitest, and into the program with `node --import`.
 */
import dns from 'node:dns';

const { lookup } = dns;

function isHere(name) {
  const names = ['test', ...(process.env.XSYNC_TEST_HOSTS ?? '').split(',')];
  return names.some((here) => here !== '' && (name === here || name.endsWith(`.${here}`)));
}

dns.lookup = (name, options, callback) => {
  if (!isHere(name)) return lookup(name, options, callback);
  const done = callback ?? options;
  const found = { address: '127.0.0.1', family: 4 };
  process.nextTick(() => (options?.all ? done(null, [found]) : done(null, found.address, found.family)));
};
