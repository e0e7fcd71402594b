/**
 * AWS Lambda on this host: speaks the runtime API with the process of a function.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Called, Environment, type FunctionOptions } from './environment.js';

const PREFIX = '/2018-06-01/runtime';

interface Call {
  id: string;
  done(called: Called): void;
}

export class LocalLambda extends Environment {
  readonly #server: Server;
  #waiting: ServerResponse | undefined;
  #call: Call | undefined;
  /** Called when the process waits for a call, or with why it does not. */
  #started: ((fault: string | undefined) => void) | undefined;

  private constructor(options: FunctionOptions, server: Server) {
    super(options);
    this.#server = server;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async open(options: FunctionOptions): Promise<LocalLambda> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new LocalLambda(options, server);
  }

  override async close(): Promise<void> {
    await super.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  protected override async ready(): Promise<string | undefined> {
    if (!this.child) this.#begin();
    return this.#waiting
      ? undefined
      : new Promise((resolve) => {
          this.#started = resolve;
        });
  }

  protected override run(id: string, event: unknown): Promise<Called> {
    return new Promise<Called>((done) => {
      this.#call = { id, done };
      this.#hand(id, event);
    });
  }

  #begin(): void {
    this.#waiting = undefined;
    const { port } = this.#server.address() as AddressInfo;
    const { folder, handler, name } = this.options;
    const child = this.start('lambda-runtime.mjs', {
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      AWS_LAMBDA_FUNCTION_NAME: name,
      LAMBDA_TASK_ROOT: folder,
      _HANDLER: handler,
    });
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
      this.#started?.('Runtime exited');
      this.#call?.done({ error: 'Runtime exited' });
    });
  }

  #hand(id: string, event: unknown): void {
    this.#waiting?.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + this.options.timeoutMs),
      'lambda-runtime-invoked-function-arn': `arn:aws:lambda:us-east-1:123456789012:function:${this.options.name}`,
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0',
    });
    this.#waiting?.end(JSON.stringify(event));
    this.#waiting = undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(PREFIX, '');
    if (path === '/invocation/next') {
      this.#waiting = response;
      return this.#started?.(undefined);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    const call = this.#call;
    if (path === '/init/error') return this.#started?.(messageIn(body));
    const [, id, what] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (!call || id !== call.id) return;
    this.#call = undefined;
    call.done(what === 'response' ? { result: body } : { error: messageIn(body) });
  }
}

export function messageIn(body: unknown): string {
  return typeof body === 'object' && body !== null && 'errorMessage' in body ? String(body.errorMessage) : String(body);
}
