/**
 * Function Compute on this host: calls the HTTP server of a function's environment.
 * https://www.alibabacloud.com/help/en/fc/user-guide/specification-details
 */
import { type Called, Environment, type FunctionOptions } from './environment.js';
import { messageIn } from './lambda.js';

export interface FcOptions extends FunctionOptions {
  /** Of the function's role. */
  role: { accessKeyId: string; accessKeySecret: string; securityToken?: string };
}

export class LocalFc extends Environment {
  readonly #role: FcOptions['role'];
  #port: Promise<number> | undefined;

  constructor({ role, ...options }: FcOptions) {
    super(options);
    this.#role = role;
  }

  protected override async ready(): Promise<string | undefined> {
    if (!this.child) this.#port = this.#begin();
    return this.#port?.then(() => undefined, String);
  }

  protected override async run(id: string, event: unknown): Promise<Called> {
    const { name, handler, timeoutMs } = this.options;
    const { accessKeyId, accessKeySecret, securityToken = '' } = this.#role;
    try {
      const answer = await fetch(`http://127.0.0.1:${await this.#port}/invoke`, {
        method: 'POST',
        headers: {
          'content-type': 'application/octet-stream',
          'x-fc-request-id': id,
          'x-fc-control-path': '/invoke',
          'x-fc-access-key-id': accessKeyId,
          'x-fc-access-key-secret': accessKeySecret,
          'x-fc-security-token': securityToken,
          'x-fc-function-name': name,
          'x-fc-function-handler': handler,
          'x-fc-function-memory': '512',
          'x-fc-function-timeout': String(timeoutMs / 1000),
          'x-fc-region': 'cn-shanghai',
          'x-fc-account-id': '1234567890123456',
        },
        body: JSON.stringify(event),
      });
      const body: unknown = await answer.json();
      return answer.headers.get('x-fc-status') === '200' ? { result: body } : { error: messageIn(body) };
    } catch (error) {
      return { error: `the process is gone: ${String(error)}` };
    }
  }

  #begin(): Promise<number> {
    const { folder, handler } = this.options;
    const child = this.start('fc-runtime.mjs', {
      FC_FUNCTION_CODE_PATH: folder,
      FC_FUNCTION_HANDLER: handler,
      FC_SERVER_PORT: '0',
    });
    return new Promise((resolve, reject) => {
      child.once('message', (port) => resolve(Number(port)));
      child.once('exit', () => {
        if (this.child === child) this.child = undefined;
        reject(new Error(`it did not start: ${this.log.slice(-2000)}`));
      });
    });
  }
}
