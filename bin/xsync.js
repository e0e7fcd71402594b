#!/usr/bin/env node
import { main } from '../dist/cli/main.js';

// Libraries that log when DEBUG is set print requests with their credentials.
delete process.env.DEBUG;

process.exitCode = await main(process.argv.slice(2));
