/** Tickets that come from outside: from a file, a queue or another machine. */
import * as z from 'zod';
import { XsyncError } from '../../model/error.js';
import { TICKET_VERSION, type Ticket } from '../../model/ticket.js';

const bytes = z.int().min(0);
const text = z.string();
const place = z.strictObject({ kind: text.min(1), endpoint: text, bucket: text.min(1) });
const yes = z.literal(true).optional();

const backup = z.strictObject({
  place,
  key: text.min(1),
  text,
  before: text.optional(),
  numbered: z.strictObject({ other: text.min(1), known: z.int().min(0) }).optional(),
  partSize: z.int().min(1).optional(),
  attempts: z.int().min(1),
  ...{ tags: yes, acl: yes },
});

const contentHeaders = z.strictObject({
  contentType: text.optional(),
  contentEncoding: text.optional(),
  contentDisposition: text.optional(),
  contentLanguage: text.optional(),
  cacheControl: text.optional(),
  expires: text.optional(),
});

const carry = z.strictObject({
  ...{ metadata: z.boolean(), tags: yes, acl: yes, lock: yes, storageClass: text.optional() },
  classes: z.record(text, text).optional(),
  fidelity: z.enum(['strict', 'warn', 'ignore']),
  set: z.strictObject({ headers: contentHeaders, metadata: z.record(z.string(), z.string()) }).optional(),
});

const copy = z.strictObject({
  version: z.literal(TICKET_VERSION),
  action: z.literal('copy'),
  key: text,
  source: z.strictObject({
    place,
    key: text.min(1),
    etag: text,
    versionId: text.min(1).optional(),
    size: bytes,
    mtimeMs: z.number(),
    md5ofParts: z
      .string()
      .regex(/^[0-9a-f]{32}-\d+$/)
      .optional(),
    partSize: z.int().min(1).optional(),
  }),
  dest: z.strictObject({
    ...{ place, key: text.min(1), replaces: text.optional(), expects: text.optional(), firm: yes },
    backup: backup.optional(),
    twin: z.strictObject({ key: text.min(1), etag: text, content: text.optional() }).optional(),
    versionName: text.min(1).optional(),
  }),
  way: z.enum(['server', 'client', 'link']),
  cut: z.strictObject({ partSize: z.int().min(1), parts: z.int().min(1) }),
  carry: carry.optional(),
  attempts: z.int().min(1),
});

const remove = z.strictObject({
  version: z.literal(TICKET_VERSION),
  action: z.literal('delete'),
  key: text,
  dest: z.strictObject({ place, key: text.min(1), size: bytes, etag: text.optional(), backup: backup.optional() }),
});

const mark = z.strictObject({
  version: z.literal(TICKET_VERSION),
  action: z.literal('mark'),
  key: text,
  dest: z.strictObject({ place, key: text.min(1) }),
});

const removeVersion = z.strictObject({
  version: z.literal(TICKET_VERSION),
  action: z.literal('delete-version'),
  key: text,
  dest: z.strictObject({ place, key: text.min(1), versionId: text.min(1) }),
});

const schema: z.ZodType<Ticket> = z.discriminatedUnion('action', [copy, remove, mark, removeVersion]);

/**
 * The value as a ticket. Checks only its shape: the performer still decides which places and keys a ticket may name.
 * @throws usage, with the invalid field
 */
export function validTicket(value: unknown): Ticket {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the ticket';
  throw new XsyncError('usage', `this is not a ticket of version ${TICKET_VERSION}: ${field}: ${issue?.message}`, {
    subject: field,
  });
}
