/* Writes the response to a request whose body was received. */
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATE "Fri, 02 Jan 2026 03:04:05 GMT"
/* Up to this size, an object is sent in one write with its headers. */
#define INLINE_BYTES 65536

Counters counters;

static bool is(const Request *request, const char *method) { return strcmp(request->method, method) == 0; }

static void head_write(Connection *c, const char *status, const char *headers, int64_t length) {
  buffer_print(&c->out,
               "HTTP/1.1 %s\r\nServer: stub\r\nDate: " DATE "\r\nx-amz-request-id: 0A1B2C3D4E5F6071\r\n%s"
               "Content-Length: %ld\r\n\r\n",
               status, headers, (long)length);
}

static void reply_text(Connection *c, const char *status, const char *body) {
  head_write(c, status, "Content-Type: application/xml\r\n", (int64_t)strlen(body));
  if (!is(&c->request, "HEAD")) buffer_add(&c->out, body, strlen(body));
}

static void reply_error(Connection *c, const char *status, const char *code) {
  char body[256];
  snprintf(body, sizeof body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code></Error>", code);
  reply_text(c, status, body);
}

static void reply_counters(Connection *c) {
  char body[512];
  snprintf(body, sizeof body,
           "{\"list\":%ld,\"head\":%ld,\"get\":%ld,\"put\":%ld,\"part\":%ld,\"createUpload\":%ld,\"completeUpload\":%ld,"
           "\"other\":%ld,\"connections\":%ld,\"bytesIn\":%ld,\"bytesOut\":%ld,\"held\":%ld}",
           counters.list, counters.head, counters.get, counters.put, counters.part, counters.create_upload,
           counters.complete_upload, counters.other, counters.connections, counters.bytes_in, counters.bytes_out,
           counters.held);
  reply_text(c, "200 OK", body);
}

static void reply_bucket(Connection *c, const char *bucket) {
  char value[TARGET_CHARS];
  const Request *request = &c->request;
  bool uploads = query_get(request->query, "uploads", value, sizeof value);
  bool location = query_get(request->query, "location", value, sizeof value);
  if (!is(request, "GET") || uploads || location) {
    counters.other++;
    if (uploads) {
      reply_text(c, "200 OK",
                 "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    } else {
      reply_text(c, "200 OK", location ? "<LocationConstraint/>" : "");
    }
    return;
  }
  if (query_get(request->query, "versioning", value, sizeof value)) {
    counters.other++;
    reply_text(c, "200 OK",
               keeps_versions(bucket) ? "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
                                      : "<VersioningConfiguration/>");
    return;
  }
  static Buffer page;
  page.used = 0;
  counters.list++;
  if (query_get(request->query, "versions", value, sizeof value)) versions_write(&page, bucket, request->query);
  else listing_write(&page, bucket, request->query);
  head_write(c, "200 OK", "Content-Type: application/xml\r\n", (int64_t)page.used);
  buffer_add(&c->out, page.data, page.used);
}

static void reply_object(Connection *c, const char *key) {
  const Request *request = &c->request;
  int64_t size = content_size(key);
  const char *etag = content_etag(size);
  char headers[512], range[128] = "";
  bool head = is(request, "HEAD");
  if (head) counters.head++;
  else counters.get++;
  if (request->if_match[0] != 0 && strcmp(request->if_match, etag) != 0) {
    reply_error(c, "412 Precondition Failed", "PreconditionFailed");
    return;
  }
  int64_t first = 0, last = size - 1;
  if (request->ranged) {
    first = request->first;
    if (request->last < last) last = request->last;
    if (first > last) {
      reply_error(c, "416 Range Not Satisfiable", "InvalidRange");
      return;
    }
    snprintf(range, sizeof range, "Content-Range: bytes %ld-%ld/%ld\r\n", (long)first, (long)last, (long)size);
  }
  snprintf(headers, sizeof headers,
           "Content-Type: application/octet-stream\r\nLast-Modified: " DATE
           "\r\nAccept-Ranges: bytes\r\nETag: \"%s\"\r\n%s",
           etag, range);
  int64_t length = last - first + 1;
  head_write(c, request->ranged ? "206 Partial Content" : "200 OK", headers, length);
  if (head) return;
  counters.bytes_out += length;
  if (length <= INLINE_BYTES) {
    content_copy(&c->out, first, length);
  } else {
    c->object_offset = first;
    c->object_left = length;
  }
}

static void reply_written(Connection *c, const char *bucket) {
  char id[32], number[16], hex[MD5_HEX], headers[128];
  const Request *request = &c->request;
  if (request->chunked || request->copies) {
    reply_error(c, request->chunked ? "411 Length Required" : "501 Not Implemented",
                request->chunked ? "MissingContentLength" : "NotImplemented");
    return;
  }
  counters.bytes_in += request->content_length;
  if (query_get(request->query, "uploadId", id, sizeof id)) {
    counters.part++;
    query_get(request->query, "partNumber", number, sizeof number);
    upload_add_part(atoll(id), atoi(number), request->md5);
  } else {
    counters.put++;
  }
  md5_hex(request->md5, hex);
  int length = snprintf(headers, sizeof headers, "ETag: \"%s\"\r\n", hex);
  if (keeps_versions(bucket)) {
    snprintf(headers + length, sizeof headers - (size_t)length, "x-amz-version-id: %ld\r\n",
             (long)(counters.put + counters.part));
  }
  head_write(c, "200 OK", headers, 0);
}

static void reply_upload(Connection *c, const char *bucket, const char *key) {
  char id[32], body[512 + TARGET_CHARS], etag[ETAG_CHARS];
  if (query_get(c->request.query, "uploads", id, sizeof id)) {
    counters.create_upload++;
    snprintf(body, sizeof body,
             "<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%ld</UploadId>"
             "</InitiateMultipartUploadResult>",
             bucket, key, (long)upload_create());
    reply_text(c, "200 OK", body);
    return;
  }
  counters.complete_upload++;
  query_get(c->request.query, "uploadId", id, sizeof id);
  if (!upload_complete(atoll(id), etag)) {
    reply_error(c, "404 Not Found", "NoSuchUpload");
    return;
  }
  snprintf(body, sizeof body,
           "<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>\"%s\"</ETag>"
           "</CompleteMultipartUploadResult>",
           bucket, key, etag);
  reply_text(c, "200 OK", body);
}

void respond(Connection *c) {
  const Request *request = &c->request;
  char bucket[256];
  const char *path = request->path + 1;
  if (strcmp(path, "-/counters") == 0) {
    reply_counters(c);
    return;
  }
  if (strcmp(path, "-/reset") == 0) {
    counters = (Counters){.held = counters.held};
    reply_text(c, "200 OK", "");
    return;
  }
  const char *slash = strchr(path, '/');
  const char *key = slash == NULL ? "" : slash + 1;
  snprintf(bucket, sizeof bucket, "%.*s", (int)strcspn(path, "/"), path);
  if (key[0] == 0) {
    reply_bucket(c, bucket);
  } else if (is(request, "PUT")) {
    reply_written(c, bucket);
  } else if (is(request, "POST")) {
    reply_upload(c, bucket, key);
  } else if (is(request, "DELETE")) {
    char id[32];
    counters.other++;
    if (query_get(request->query, "uploadId", id, sizeof id)) upload_abort(atoll(id));
    head_write(c, "204 No Content", "", 0);
  } else {
    reply_object(c, key);
  }
}
