#!/usr/bin/env node
// CommonJS (package.json beside this file): Node's loader of modules takes longer than the program's own code.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

// Libraries that log when DEBUG is set print requests with their credentials.
delete process.env.DEBUG;

/** Bytes of address space without which Node ends with a stack trace while it loads the program. */
const LEAST_MEMORY = 2 ** 30;
/** Open files without which the manifest or the first object fails, each with another message. */
const LEAST_FILES = 64;
const TOO_MANY_FILES = 'xsync: too many open files — Raise the limit (ulimit -n), to 1024 or more.\n';

/** Limits of this process; NaN if there is none, or it cannot be read. */
function limits() {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8');
    const limit = (name) => Number(new RegExp(`^Max ${name} +(\\d+)`, 'm').exec(text)?.[1]);
    return { memory: limit('address space'), files: limit('open files') };
  } catch {
    return { memory: Number.NaN, files: Number.NaN };
  }
}

async function run() {
  try {
    const { memory, files } = limits();
    if (memory < LEAST_MEMORY) {
      process.stderr.write(
        'xsync: there is not enough memory — Remove the limit of virtual memory (ulimit -v unlimited).\n',
      );
      process.exitCode = 2;
    } else if (files < LEAST_FILES) {
      process.stderr.write(TOO_MANY_FILES);
      process.exitCode = 2;
    } else if (process.argv.length === 3 && process.argv[2] === '--version') {
      // Needs nothing of the program.
      const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8'));
      // A closed pipe is not an error.
      process.stdout.on('error', () => {});
      process.stdout.write(`${version}\n`);
    } else {
      const { load } = require('./load.js');
      const args = process.argv.slice(2);
      // Options may precede the command.
      const command = args.find((arg) => /^[a-z][a-z0-9]*$/.test(arg));
      const { exports, save } = load(join(__dirname, '../dist/xsync.cjs'), command);
      let ended = false;
      // There is nothing left to wait for, as Node has it for modules.
      process.once('beforeExit', () => {
        if (!ended) process.exitCode = 13;
      });
      process.exitCode = await exports.main(args);
      ended = true;
      if (process.exitCode === 0) save();
    }
  } catch (error) {
    // The program could not be loaded, and so neither could its messages.
    if (error?.code === 'EMFILE' || error?.code === 'ENFILE') {
      process.stderr.write(TOO_MANY_FILES);
      process.exitCode = 2;
    } else if (['ENOENT', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error?.code)) {
      const [why] = error.message.split('\n');
      process.stderr.write(`xsync: the installation is incomplete: ${why} — Install xsync again.\n`);
      process.exitCode = 7;
    } else throw error;
  }
}

run();
