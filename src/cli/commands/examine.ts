/** Tests: test/doctor/doctor.test.ts */
import { type Config, configPath, loadConfig } from '../../config/load.js';
import { type ConfiguredLocation, parseLocation } from '../../config/location.js';
import { backendOf } from '../../config/schema.js';
import { judgeAcceleration } from '../../doctor/acceleration.js';
import { describeCredentials } from '../../doctor/credentials.js';
import { judgeConfig, judgeDirectory, judgeFolder, lookAtConfig, lookAtDirectory } from '../../doctor/directories.js';
import { isReachable, judgeEndpoint } from '../../doctor/endpoint.js';
import { attempt, type Finding, faulty, ok, type Section, skip } from '../../doctor/finding.js';
import { judgeHost } from '../../doctor/host.js';
import { readHostFacts } from '../../doctor/host-facts.js';
import { checkPlace } from '../../doctor/place.js';
import { reach } from '../../doctor/reach.js';
import type { TRANSPORT } from '../../engine/job/places.js';
import { MOST_CONNECTIONS } from '../../engine/options.js';
import type { XsyncError } from '../../model/error.js';
import { examineCongestion, type OpenSettings, type OpenSide, openSide, stateDirectory } from '../../open.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit.js';
import { onInterrupt } from '../interrupt.js';
import type { ConnectionFlags, LogFlags } from '../options.js';
import { type DoctorText, doctorText } from '../render/doctor.js';

export interface DoctorFlags extends Pick<ConnectionFlags, 'config' | keyof typeof TRANSPORT>, LogFlags {
  write?: true;
  /** Bytes; undefined for `off`. */
  probeSize?: number;
  /** Milliseconds; undefined for `off`. */
  contimeout?: number;
  json?: true;
}

const NO_ANSWER_MS = 10_000;
const CONNECTIONS = 8;
/** Local files of 32 transfers, the manifest and the log. */
const OTHER_FILES = 88;

/** One run of the doctor: a section each for the host, the endpoints and the places. */
export class Examination {
  readonly #context: Context;
  readonly #flags: DoctorFlags;
  readonly #settings: OpenSettings;
  readonly #text: DoctorText;
  readonly #sections: Section[] = [];
  /** By origin: an endpoint is tested once, even with several places. */
  readonly #reached = new Map<string, boolean>();

  constructor(context: Context, flags: DoctorFlags) {
    this.#context = context;
    this.#flags = flags;
    this.#text = doctorText(context.io.stdout, context.io.env);
    this.#settings = {
      config: flags.config,
      transport: flags.transport,
      congestion: flags.congestion,
      caCert: flags.caCert,
      clientCert: flags.clientCert,
      clientKey: flags.clientKey,
      checkCertificate: flags.checkCertificate,
      // The user is waiting, and a temporary error is worth reporting too.
      lowLevelRetries: 2,
      contimeoutMs: flags.contimeout ?? NO_ANSWER_MS,
      timeoutMs: NO_ANSWER_MS,
      connections: CONNECTIONS,
      copyLinks: true,
      env: context.io.env,
    };
  }

  /** @throws usage for invalid paths */
  async run(paths: readonly string[]): Promise<number> {
    const { io, out } = this.#context;
    const loaded = await attempt(() => loadConfig({ file: this.#flags.config, env: io.env }));
    const locations = 'value' in loaded ? paths.map((path) => parseLocation(path, loaded.value)) : [];
    await this.#section('This host', this.#host('value' in loaded ? loaded.value : loaded.error));
    if ('value' in loaded && paths.length === 0) await this.#remotes(loaded.value);
    for (const location of locations) await this.#location(location);
    const findings = this.#sections.flatMap((section) => section.findings);
    const well = findings.every(({ level }) => level !== 'fail');
    if (this.#flags.json) await out.write(`${JSON.stringify({ ok: well, sections: this.#sections }, null, 2)}\n`);
    else await out.write(`\n${this.#text.verdict(findings)}\n`);
    return well ? EXIT.ok : EXIT.other;
  }

  /** Prints each finding at once: some take seconds. */
  async #section(title: string, findings: AsyncIterable<Finding> | Iterable<Finding>): Promise<void> {
    const { out } = this.#context;
    const section: Section = { title, findings: [] };
    const show = async (lines: string[]): Promise<void> => {
      if (!this.#flags.json) await out.write(lines.map((line) => `${line}\n`).join(''));
    };
    await show([...(this.#sections.length > 0 ? [''] : []), this.#text.title(title)]);
    this.#sections.push(section);
    for await (const finding of findings) {
      section.findings.push(finding);
      await show(this.#text.finding(finding));
    }
  }

  async *#host(config: Config | XsyncError): AsyncGenerator<Finding> {
    const { env } = this.#context.io;
    const wantedFiles = 2 * MOST_CONNECTIONS + OTHER_FILES;
    yield* judgeHost(readHostFacts(env, await examineCongestion(), wantedFiles));
    const broken = config instanceof Error;
    const known = broken ? { remotes: [], error: config } : { remotes: Object.keys(config.remotes) };
    yield judgeConfig(await lookAtConfig(configPath({ file: this.#flags.config, env }), known));
    const state = stateDirectory(env);
    const facts = await lookAtDirectory(state);
    yield judgeDirectory('state', facts);
    yield await this.#sqlite(state, facts);
  }

  async #sqlite(state: string, { exists, writable }: { exists: boolean; writable: boolean }): Promise<Finding> {
    if (exists && !writable) return skip('sqlite', 'not checked: the state folder cannot be used');
    const tried = await attempt(async () => {
      const { examineSqlite } = await import('../../manifest/sqlite/examine.js');
      return examineSqlite(state);
    });
    if ('error' in tried) return faulty('sqlite', tried.error, 'Install xsync again.');
    const found = exists ? 'works in the state folder' : 'can be loaded';
    return ok('sqlite', `${tried.value}, ${found}`, { version: tried.value });
  }

  /** Every endpoint in the config, with the names of the remotes that share it. */
  async #remotes(config: Config): Promise<void> {
    const names = new Map<string, string[]>();
    const connections = new Map<string, OpenSide['connection']>();
    for (const [name, remote] of Object.entries(config.remotes)) {
      if (backendOf(remote).doctor === undefined) continue;
      // Only to get the endpoint. The bucket gets no request.
      const opened = await attempt(() => this.#open(`${name}:bucket`, 'off'));
      if ('error' in opened) {
        await this.#section(name, [faulty('remote', opened.error, 'Check this remote: xsync config show.')]);
        continue;
      }
      const { endpoint, origin } = opened.value.store.identity;
      await opened.value.close();
      const reached = origin ?? endpoint;
      names.set(reached, [...(names.get(reached) ?? []), name]);
      connections.set(reached, opened.value.connection);
    }
    for (const [endpoint, remotes] of names) {
      await this.#endpoint(endpoint, connections.get(endpoint), `${endpoint} (${remotes.join(', ')})`);
    }
  }

  #open(text: string, accelerate?: 'auto' | 'off'): Promise<OpenSide> {
    return openSide(text, { ...this.#settings, accelerate });
  }

  async #endpoint(origin: string, connection: OpenSide['connection'], title = origin): Promise<boolean> {
    const before = this.#reached.get(origin);
    if (before !== undefined) return before;
    const facts = await reach(origin, this.#settings.contimeoutMs, this.#context.io.now, connection);
    await this.#section(title, judgeEndpoint(facts));
    this.#reached.set(origin, isReachable(facts));
    return isReachable(facts);
  }

  async #location(location: ConfiguredLocation): Promise<void> {
    const opened = await attempt(() => this.#open(location.text));
    if ('error' in opened) {
      await this.#section(location.text, [faulty('remote', opened.error, 'Check this remote: xsync config show.')]);
      return;
    }
    const side = opened.value;
    try {
      const { capabilities, identity } = side.store;
      const there = capabilities.local || (await this.#endpoint(identity.origin ?? identity.endpoint, side.connection));
      const unreachable = [skip('bucket', 'not checked: the endpoint cannot be used')];
      await this.#section(location.text, there ? this.#place(location, side) : unreachable);
    } finally {
      await side.close();
    }
  }

  async *#place({ remote, text }: ConfiguredLocation, side: OpenSide): AsyncGenerator<Finding> {
    const { paths, doctor: rules } = backendOf(remote);
    const interruption = onInterrupt(this.#context);
    try {
      yield* checkPlace(side.store, {
        // For a local file, its folder is checked.
        prefix: side.store.capabilities.local ? '' : side.prefix,
        write: this.#flags.write === true,
        probeBytes: this.#flags.probeSize ?? 0,
        ...(rules && {
          rights: rules.rights,
          credentials: describeCredentials(remote, rules, this.#context.io.env),
        }),
        signal: interruption.signal,
      });
    } finally {
      interruption.dispose();
    }
    if (paths) yield judgeFolder(await lookAtDirectory(side.bucket));
    const configured = rules?.acceleration(remote);
    if (configured !== undefined) yield* this.#acceleration(text, configured);
  }

  async *#acceleration(text: string, configured: 'auto' | 'on' | 'off'): AsyncGenerator<Finding> {
    const opened = await attempt(() => this.#open(text, 'auto'));
    if ('error' in opened) {
      yield faulty('acceleration', opened.error, 'Set accelerate: off for this remote.', 'warn');
      return;
    }
    await opened.value.close();
    const { acceleration } = opened.value;
    if (acceleration !== undefined) yield judgeAcceleration(configured, acceleration);
  }
}
