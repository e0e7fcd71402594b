/*
 * A very fast S3 server to measure clients. It stores nothing and verifies nothing.
 *
 * A bucket's name defines its contents: <name>-<count>-<size>-flat or <name>-<count>-<size>-p<prefixes>, for example
 * src-20000-4096-flat or src-1000000-4096-p1000. Keys are 000000042_4096.bin, in prefixes p00000/000000042_4096.bin.
 * Every object can be read in any bucket: its size is in its key, and its data is a repeated pattern of 1 MiB, so that
 * its MD5 depends only on its size. Written data is discarded. The ETag of the response is the request's Content-MD5,
 * or else the MD5 of the body. ETags of multipart uploads are computed as in S3.
 */
#ifndef STUB_H
#define STUB_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MD5_BYTES 16
#define MD5_HEX (2 * MD5_BYTES + 1)
/* An MD5 in hex, "-", the number of parts. */
#define ETAG_CHARS (MD5_HEX + 8)
#define HEAD_BYTES 65536
#define TARGET_CHARS 4096

typedef struct {
  char *data;
  size_t used, capacity;
} Buffer;

typedef struct {
  char method[8];
  /* The path, percent-encoded as received. The query follows the question mark, or is "". */
  char path[TARGET_CHARS];
  char *query;
  int64_t content_length;
  /* The requested range; `last` may be beyond the object's end. */
  bool ranged;
  int64_t first, last;
  char if_match[ETAG_CHARS];
  /* The body's MD5, from the client or computed. */
  bool md5_given;
  unsigned char md5[MD5_BYTES];
  bool expects_continue, closes, chunked, copies;
} Request;

typedef struct Connection {
  int fd;
  /* NULL without TLS. */
  SSL *tls;
  enum { READING_HEAD, READING_BODY, DELAYED, WRITING } state;
  char in[HEAD_BYTES];
  size_t in_used;
  Request request;
  int64_t body_left;
  EVP_MD_CTX *hash;
  Buffer out;
  size_t out_sent;
  /* Object data after `out`, from the pattern. */
  int64_t object_offset, object_left;
  int64_t due_ms;
  struct Connection *next_due;
} Connection;

/* Requests by kind. /-/counters returns them, /-/reset sets them to zero. */
typedef struct {
  int64_t list, head, get, put, part, create_upload, complete_upload, other, connections, bytes_in, bytes_out, held;
} Counters;
extern Counters counters;

/* buffer.c */
void buffer_add(Buffer *buffer, const char *bytes, size_t count);
void buffer_print(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* content.c: object data */
void content_prepare(void);
const char *content_etag(int64_t size);
int64_t content_size(const char *key);
void content_copy(Buffer *into, int64_t offset, int64_t count);
/* At least a MiB of it. */
const void *content_at(int64_t offset);
/* Like sendfile: returns the bytes sent, or -1 and sets errno. */
int64_t content_send(int socket, int64_t offset, int64_t count);
void md5_hex(const unsigned char digest[MD5_BYTES], char hex[MD5_HEX]);

/* query.c: true if the query has the parameter; writes its decoded value, truncated to `capacity` */
bool query_get(const char *query, const char *name, char *value, size_t capacity);

/* listing.c: ListObjects and ListObjectsV2 */
void listing_write(Buffer *into, const char *bucket, const char *query);
/* ListObjectVersions, of a bucket that keeps versions. */
void versions_write(Buffer *into, const char *bucket, const char *query);
bool keeps_versions(const char *bucket);

/* uploads.c */
int64_t upload_create(void);
void upload_add_part(int64_t id, int number, const unsigned char md5[MD5_BYTES]);
/* Ends the upload. False if there is no such upload. */
bool upload_complete(int64_t id, char etag[ETAG_CHARS]);
void upload_abort(int64_t id);

/* request.c: parses the head of a request, including the empty line; false if it is not HTTP */
bool request_parse(Request *request, char *head, size_t count);

/* respond.c: writes the response to `connection->out` */
void respond(Connection *connection);

/* wire.c: like recv and send, they return -1 with EAGAIN if they would block */
ssize_t wire_receive(Connection *connection, void *into, size_t count);
ssize_t wire_discard(Connection *connection, size_t count);
/* `more`: object data follows. */
ssize_t wire_send(Connection *connection, const void *bytes, size_t count, bool more);
ssize_t wire_send_content(Connection *connection, int64_t offset, int64_t count);
/* Makes a certificate for the address and writes it to the file as PEM. False if that fails. */
bool tls_prepare(const char *file, const char *address);
SSL *tls_open(int fd);

/* connection.c */
Connection *connection_open(int fd, bool secure);
/* Runs until it blocks. False if the connection ended and was freed. `delay_ms`: before each response. */
bool connection_run(Connection *connection, int delay_ms);

/* main.c */
int64_t now_ms(void);
void delay_queue_add(Connection *connection);

#endif
