/**
 * The metrics of all pairs that one process serves, with their rule as a label, and their health together.
 * Tests: test/observe/rule-metrics.test.ts
 */
import { AggregatorRegistry } from 'prom-client';
import type { ListenAddress } from '../inbound/address.js';
import type { Health } from './health.js';
import { type Metrics, processMetrics, serveMetrics } from './metrics.js';
import type { Listening } from './server.js';

export interface RulesHealth {
  /** Unhealthy if one of them is. */
  status: Health['status'];
  /** Those of all rules, each with the name of its rule. */
  reasons: string[];
  rules: Readonly<Record<string, Health>>;
}

export class RuleMetrics {
  readonly #rules = new Map<string, Metrics>();

  set(name: string, metrics: Metrics): void {
    this.#rules.set(name, metrics);
  }

  delete(name: string): void {
    this.#rules.delete(name);
  }

  /** In Prometheus's text format. */
  async text(): Promise<string> {
    const values = await Promise.all([...this.#rules.values()].map((metrics) => metrics.values()));
    return `${await AggregatorRegistry.aggregate(values).metrics()}\n${await processMetrics()}`;
  }

  health(): RulesHealth {
    const rules = [...this.#rules].map(([name, metrics]) => [name, metrics.health()] as const);
    const reasons = rules.flatMap(([name, health]) => health.reasons.map((reason) => `${name}: ${reason}`));
    return { status: reasons.length === 0 ? 'ok' : 'unhealthy', reasons, rules: Object.fromEntries(rules) };
  }

  /** @throws config when it cannot listen there */
  listen(address: ListenAddress): Promise<Listening> {
    return serveMetrics(address, { text: () => this.text(), health: () => this.health() });
  }
}
