/**
 * Opens connections: TCP to the first address that answers, TLS, tunnels through proxies.
 * Tests: test/store/http/connections.test.ts
 */
import { isIP, connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SocketCongestion } from './congestion.js';
import type { TlsOptions } from './connection.js';
import { type ProxyServer, proxyFault } from './proxy-fault.js';
