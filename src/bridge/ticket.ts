/**
 * A ticket as it crosses the border: one thing to do to one key, with a URL instead of credentials. Both ends agree on
 * this file alone. Tests: test/bridge/pull/server.test.ts
 */
import * as z from 'zod';
import { ticketId } from '../manifest/queues.js';
import { ticketChecksums } from './checksums.js';

/** Tickets of one request. */
export const MOST_TICKETS = 100;
/** Names of newer versions in a ticket. */
export const MOST_NEWER = 16;
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
  /** Tells the pushing end's source from others, whose objects may have the same keys (`originOf` its prefix). */
  source: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  /** Of the pushing end, which hears there what became of the ticket; pull tells only hosts that it trusts. */
  callback: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
};

/** Of the source. */
const versionId = z.string().regex(/^[\x21-\x7e]{1,1024}$/);
/**
 * Names of newer versions that have bytes: if the destination has one of them, this one came long ago. Both ends may have
 * lost all that they knew.
 */
const newer = z.array(z.string().regex(/^[\x20-\x7e]{1,1200}$/)).max(MOST_NEWER);
const origin = z.string().regex(/^[0-9a-f]{16}$/);

/** What becomes a header must not end it. */
const line = (most: number) =>
  z
    .string()
    .max(most)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused
    .regex(/^[^\x00-\x1f\x7f]*$/);
const header = line(2048).optional();

/** Bytes of the attributes of an object, as JSON. */
const MOST_ATTRIBUTES = 32 * 1024;

/** What an object has besides its bytes. Most of it comes with them: this is what does not. */
const givenAttributes = z
  .strictObject({
    tags: z
      .array(z.strictObject({ key: z.string().max(1024), value: z.string().max(1024) }))
      .max(100)
      .readonly()
      .optional(),
    /** Canned, in the source's spelling, or `grants`. */
    acl: z
      .string()
      .regex(/^[a-z-]{1,64}$/)
      .optional(),
    /** They may have changed while the bytes stayed: the destination's are compared with them. */
    info: z
      .strictObject({
        headers: z.strictObject({
          ...{ contentType: header, contentEncoding: header, contentDisposition: header, contentLanguage: header },
          ...{ cacheControl: header, expires: header },
        }),
        metadata: z.record(z.string().min(1).max(1024), z.string().max(16384)),
        storageClass: z
          .string()
          .regex(/^[\w-]{1,64}$/)
          .optional(),
        redirect: line(2048).optional(),
        tagCount: z.number().int().min(0).max(1000).optional(),
        lock: z
          .strictObject({
            mode: z.enum(['GOVERNANCE', 'COMPLIANCE']).optional(),
            untilMs: z.number().min(0).max(8.64e15).optional(),
            legalHold: z.literal(true).optional(),
          })
          .optional(),
      })
      .optional(),
  })
  .refine((given) => Buffer.byteLength(JSON.stringify(given)) <= MOST_ATTRIBUTES, 'are larger than 32 KiB');
export type GivenAttributes = z.output<typeof givenAttributes>;

const copyTicket = z.strictObject({
  ...common,
  action: z.literal('copy'),
  /** A secret. */
  url: z.url({ protocol: /^https?$/ }).max(8192),
  /** When the URL ends, ms since 1970: the earlier of its own end and that of the credentials that signed it. */
  expiresMs: z.number().int().positive(),
  etag: z.string().min(1).max(1024),
  size: z.number().int().min(0),
  /** If the source told them without a request of their own: the bytes must have all of them. */
  checksums: ticketChecksums.optional(),
  /** Last-Modified, ms since 1970. */
  mtimeMs: z.number(),
  /** Kind of the source's store, which spells classes and ACLs in its own way. */
  service: z
    .string()
    .regex(/^[a-z0-9]{1,16}$/)
    .optional(),
  attributes: givenAttributes.optional(),
  /** With --versions: which one it is, as the URL says too. It goes on top of those that the destination has. */
  versionId: versionId.optional(),
  /** With a version: tells the object from all others (`originOf`), so that the destination knows it again. */
  origin: origin.optional(),
  newer: newer.optional(),
});

/** The object is gone; with --versions: all versions of it are. */
const deleteTicket = z.strictObject({ ...common, action: z.literal('delete') });

/** A delete marker, as a version. */
const markTicket = z.strictObject({
  ...common,
  ...{ action: z.literal('mark'), versionId, origin, newer, mtimeMs: z.number() },
});

export const bridgeTicket = z
  .discriminatedUnion('action', [copyTicket, deleteTicket, markTicket])
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

const attribute = z.enum(['headers', 'metadata', 'tags', 'acl', 'storage-class', 'lock', 'redirect', 'link', 'type']);
const notes = z.array(z.object({ attribute, reason: z.string() })).readonly();

/** As `Fidelity` in the model. */
export const fidelity = z.object({ kept: z.array(attribute).readonly(), mapped: notes, lost: notes });

/** Where a pushing end hears outcomes, after its URL. */
export const CALLBACK_PATH = '/v1/callback';

const fault = z.object({ code: z.string(), message: z.string() }).optional();

/** Body of a callback. */
export const callbackBody = z.strictObject({
  outcomes: z
    .array(
      z.strictObject({
        id: common.id,
        key,
        state: z.enum(['done', 'dead', 'expired', 'changed']),
        fault,
        fidelity: fidelity.optional(),
      }),
    )
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

/** What a ticket that was kept as JSON does; a delete marker deletes. */
export function operationOf(body: string): 'copy' | 'delete' {
  const { data } = z.object({ action: z.enum(['copy', 'delete', 'mark']) }).safeParse(JSON.parse(body));
  return data === undefined || data.action === 'copy' ? 'copy' : 'delete';
}

/** Response to it. An ID that is missing is not known: its ticket must be sent again, or a newer one has come. */
export const outcomesBody = z.object({
  outcomes: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['queued', 'done', 'dead', 'expired', 'changed']),
      fault,
      /** Of one that is done: what became of its attributes; absent: nothing to tell. */
      fidelity: fidelity.optional(),
    }),
  ),
});
