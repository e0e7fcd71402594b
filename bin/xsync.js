#!/usr/bin/env node
// Libraries that log when DEBUG is set print requests with their credentials.
delete process.env.DEBUG;

try {
  const { main } = await import('../dist/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // The program could not be loaded, and so neither could its messages.
  if (error?.code === 'EMFILE' || error?.code === 'ENFILE') {
    process.stderr.write('xsync: too many open files — Raise the limit (ulimit -n), to 1024 or more.\n');
    process.exitCode = 2;
  } else if (error?.code === 'ERR_MODULE_NOT_FOUND') {
    const [why] = error.message.split('\n');
    process.stderr.write(`xsync: the installation is incomplete: ${why} — Install xsync again.\n`);
    process.exitCode = 7;
  } else throw error;
}
