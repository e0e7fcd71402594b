/**
 * A ticket as it crosses the border: one thing to do to one key, with a URL instead of credentials. Both ends agree on
 * this file alone. Tests: test/bridge/pull/server.test.ts
 */
import * as z from 'zod';
import { ticketId } from '../manifest/queues.js';

/** Tickets of one request. */
export const MOST_TICKETS = 100;
/** Bytes of a body with tickets. */
export const MOST_BYTES = 1024 * 1024;

const key = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 1024, 'is longer than 1024 bytes')
  // The queue would keep another key.
  .refine((text) => Buffer.from(text).toString() === text, 'is not well-formed Unicode');
const common = {
  version: z.literal(1),
  /** Of this change of this key, whichever URL it has (`ticketId`). */
  id: z.string().regex(/^[\w-]{1,64}$/),
  key,
  /** Of two tickets for one key, the greater one is newer. */
  revision: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
  /** Of the pushing end, which hears there what became of the ticket; pull tells only hosts that it trusts. */
  callback: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
};

const copyTicket = z.strictObject({
  ...common,
  action: z.literal('copy'),
  /** A secret. */
  url: z.url({ protocol: /^https?$/ }).max(8192),
  /** When the URL ends, ms since 1970: the earlier of its own end and that of the credentials that signed it. */
  expiresMs: z.number().int().positive(),
  etag: z.string().min(1).max(1024),
  size: z.number().int().min(0),
  /** Last-Modified, ms since 1970. */
  mtimeMs: z.number(),
});

const deleteTicket = z.strictObject({ ...common, action: z.literal('delete') });

export const bridgeTicket = z
  .discriminatedUnion('action', [copyTicket, deleteTicket])
  .refine((ticket) => ticket.id === ticketId(ticket), { path: ['id'], message: 'is not that of its key and revision' });
export type BridgeTicket = z.output<typeof bridgeTicket>;

/** Body of `POST /v1/tickets`. */
export const ticketsBody = z.strictObject({ tickets: z.array(bridgeTicket).min(1).max(MOST_TICKETS) });

/** Response to it, with status 202: they are safe on the disk of the pulling end. */
export const takenBody = z.object({
  taken: z.number().int(),
  /** Dropped, because a newer one of the key is known. */
  stale: z.array(z.string()),
  /** Never performed there. */
  refused: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
});

/** Body of `POST /v1/outcomes`. */
export const askBody = z.strictObject({ ids: z.array(common.id).min(1).max(MOST_TICKETS) });

/** Where a pushing end hears outcomes, after its URL. */
export const CALLBACK_PATH = '/v1/callback';

const fault = z.object({ code: z.string(), message: z.string() }).optional();

/** Body of a callback. */
export const callbackBody = z.strictObject({
  outcomes: z
    .array(z.strictObject({ id: common.id, key, state: z.enum(['done', 'dead', 'expired', 'changed']), fault }))
    .min(1)
    .max(MOST_TICKETS),
});
export type Told = z.output<typeof callbackBody>['outcomes'][number];

/** Response to it. */
export const heardBody = z.object({});

/** Where the outcome of a ticket that was kept as JSON is to be told. */
export function callbackOf(body: string): string | undefined {
  return z.object({ callback: common.callback }).safeParse(JSON.parse(body)).data?.callback;
}

/** What a ticket that was kept as JSON does. */
export function operationOf(body: string): BridgeTicket['action'] {
  return z.object({ action: z.enum(['copy', 'delete']) }).safeParse(JSON.parse(body)).data?.action ?? 'copy';
}

/** Response to it. An ID that is missing is not known: its ticket must be sent again, or a newer one has come. */
export const outcomesBody = z.object({
  outcomes: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['queued', 'done', 'dead', 'expired', 'changed']),
      fault,
    }),
  ),
});
