/**
 * What runs in an environment of Function Compute: an HTTP server that is told of each call by headers.
 * https://www.alibabacloud.com/help/en/fc/user-guide/specification-details
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [file, name] = process.env.FC_FUNCTION_HANDLER.split('.');
const handler = createRequire(import.meta.url)(join(process.env.FC_FUNCTION_CODE_PATH, `${file}.js`))[name];

const server = createServer(async (request, response) => {
  const { headers } = request;
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = (status, body) => {
    response.writeHead(status === 'ok' ? 200 : 500, { 'x-fc-status': status === 'ok' ? '200' : '404' });
    response.end(JSON.stringify(body ?? null));
  };
  const context = {
    requestId: headers['x-fc-request-id'],
    credentials: {
      accessKeyId: headers['x-fc-access-key-id'],
      accessKeySecret: headers['x-fc-access-key-secret'],
      securityToken: headers['x-fc-security-token'],
    },
    function: {
      name: headers['x-fc-function-name'],
      handler: headers['x-fc-function-handler'],
      memory: Number(headers['x-fc-function-memory']),
      timeout: Number(headers['x-fc-function-timeout']),
    },
    region: headers['x-fc-region'],
    accountId: headers['x-fc-account-id'],
  };
  const failed = (error) => answer('failed', { errorMessage: String(error?.message ?? error), errorType: error?.name });
  try {
    handler(Buffer.concat(chunks), context, (error, result) => (error ? failed(error) : answer('ok', result)));
  } catch (error) {
    failed(error);
  }
});
server.listen(Number(process.env.FC_SERVER_PORT), '127.0.0.1', () => process.send?.(server.address().port));
