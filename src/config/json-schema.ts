/**
 * The config's JSON Schema for editors, generated from the schemas that validate the config.
 * Tests: test/config/schema.test.ts
 */
import * as z from 'zod';
import { rulesSchema } from '../rules/json-schema.js';
import { configSchema } from './schema.js';

/** `${NAME}` is allowed for every value, so each type other than plain text allows it as well. */
const REFERENCE: z.core.JSONSchema.JSONSchema = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' };

export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) === 'propertyNames') return;
      const choice =
        jsonSchema.enum !== undefined || jsonSchema.pattern !== undefined || jsonSchema.format !== undefined;
      if (!choice && jsonSchema.type !== 'boolean' && jsonSchema.type !== 'number' && jsonSchema.type !== 'integer')
        return;
      const { description, default: fallback, ...own } = jsonSchema;
      for (const key of Object.keys(own)) Reflect.deleteProperty(jsonSchema, key);
      jsonSchema.anyOf = [{ ...own }, REFERENCE];
    },
  });
  // Either section may stand alone: rules can have a file of their own.
  const { required: _, properties, ...rest } = schema;
  return { ...rest, properties: { ...properties, rules: rulesSchema() }, title: 'xsync config' };
}

/** The text of the committed file. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
