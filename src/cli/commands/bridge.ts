/** Tests: test/e2e/bridge.test.ts */
import { type Command, Option } from 'commander';
import { ATTRIBUTES, CARRY } from '../../engine/job/attributes.js';
import { TRANSFER, VERSIONS } from '../../engine/job/options.js';
import { parseDuration, parseInteger } from '../../engine/job/values.js';
import { flag, list, own } from '../define.js';
import { options } from '../job.js';
import { configOption, logOptions, networkOptions, observeOptions } from '../options.js';
import type { Program } from '../program.js';
import type { PullFlags, PushFlags } from './bridging.js';

export function addBridge({ root, io, finish }: Program): void {
  const group = root
    .command('bridge')
    .summary('copy across a border: presigned URLs here, a pull over there')
    .description(
      'Two processes that share a secret and no credentials. push, at the source, sends a ticket with a presigned URL ' +
        'for each change; pull, at the destination, reads the URL and writes the object (docs/bridge.md).',
    )
    .usage('<command> …');
  group.commandsGroup('Commands:');
  group.helpCommand(false);
  group.addHelpOption(new Option('-h, --help', 'show this help').helpGroup('General:'));
  addPull(group.command('pull <destination>'), 'bridge')
    .description('Receive tickets, and copy what they name to the destination, until stopped.')
    .action(async (destination: string, flags: PullFlags) => {
      const { pullCommand } = await import('./bridging.js');
      finish(await pullCommand(io, destination, flags));
    });
  addPull(group.command('relay <destination>'), 'relay')
    .description(
      'Receive tickets on a host between the two sides, and send what they name on to the destination, until stopped. ' +
        'Each byte is paid for twice: when it leaves the source, and when it leaves this host.',
    )
    .action(async (destination: string, flags: PullFlags) => {
      const { pullCommand } = await import('./bridging.js');
      finish(await pullCommand(io, destination, flags, true));
    });
  addPush(group.command('push <source> <url>')).action(async (source: string, url: string, flags: PushFlags) => {
    const { pushCommand } = await import('./bridging.js');
    finish(await pushCommand(io, source, url, flags));
  });
}

const text = (_option: string, given: string): string => given;
const count = (option: string, given: string): number => parseInteger(option, given, { min: 1, max: 10_000_000 });

function addPull(command: Command, name: string): Command {
  command.optionsGroup('Bridge:');
  secretOptions(command);
  own(command, '--listen <address>', 'address to receive tickets at: :7464, 0.0.0.0:7464', text, ':7464');
  own(command, '--name <name>', 'name of this bridge: one manifest for each name and destination', text, name);
  flag(command, '--delete', 'delete objects that no longer exist at the source');
  options(command, VERSIONS);
  own(command, '--queue-limit <n>', 'maximum number of tickets that wait; more are refused for now', count, 100_000);
  own(
    command,
    '--rate <n>',
    'maximum number of tickets a second from one pushing end; more are refused for now',
    count,
  );
  tlsOptions(command);
  list(command, '--allow-callback <host>', 'host of pushing ends that may be told the outcomes of their tickets');
  own(command, '--audit-log <file>', 'append a JSON line to FILE for each ticket and each refusal', text);
  const { transfers, partConcurrency, partSize, maxMemory, sse } = TRANSFER;
  options(command.optionsGroup('Attributes:'), CARRY);
  options(command.optionsGroup('Transfer:'), { transfers, partConcurrency, partSize, maxMemory, sse });
  return further(command);
}

function addPush(command: Command): Command {
  command.description('Send a ticket for each change of the source to the other end at url, until stopped.');
  command.optionsGroup('Bridge:');
  secretOptions(command);
  own(command, '--expire <duration>', 'time until a presigned URL expires, at most 7d', parseDuration, 3_600_000, '1h');
  own(
    command,
    '--interval <duration>',
    'time between listings of the source; off: only the first one',
    parseDuration,
    60_000,
    '1m',
  );
  own(command, '--events <source>', 'also receive change events: :port/path, sqs://… or - (docs/events.md)', text);
  flag(command, '--delete', 'delete objects at the other end that no longer exist');
  own(
    command,
    '--max-delete <n>',
    'delete nothing if more objects than this are gone (default: a quarter, at least 1000)',
    count,
  );
  flag(command, '--allow-empty-source', 'delete even if the source has become empty');
  options(command, VERSIONS);
  own(command, '--listen <address>', 'address to hear outcomes at, so that they are not asked for: :7465', text);
  own(command, '--callback <url>', 'URL at which the other end reaches --listen', text);
  tlsOptions(command);
  flag(command, '--backfill', 'also push what was there before the first run');
  const { tags, acl, attributes } = ATTRIBUTES;
  options(command, { tags, acl, attributes });
  flag(command, '--once', 'list once, wait until everything has arrived, and exit');
  return further(command);
}

function secretOptions(command: Command): void {
  own(command, '--secret-file <file>', 'file with the shared secret; two lines while it is replaced', text);
  own(command, '--attempts <n>', 'number of attempts before a ticket is given up', count, 10);
}

/** Of an end that listens. */
function tlsOptions(command: Command): void {
  own(command, '--tls-cert <file>', 'certificate (PEM) of --listen, which speaks HTTPS then', text);
  own(command, '--tls-key <file>', 'its private key (default: in the file of --tls-cert)', text);
  own(command, '--client-ca <file>', 'accept only callers with a client certificate of a CA in FILE', text);
}

function further(command: Command): Command {
  observeOptions(command);
  networkOptions(command);
  logOptions(command);
  return configOption(command);
}
