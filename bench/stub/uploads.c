/* Multipart uploads. Only the MD5s of the parts are kept, for the ETag of the object. */
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PARTS 10000

typedef struct Upload {
  int64_t id;
  int parts;
  unsigned char md5s[MOST_PARTS][MD5_BYTES];
  struct Upload *next;
} Upload;

static Upload *uploads;
static int64_t last_id;

static Upload **find(int64_t id) {
  Upload **at = &uploads;
  while (*at != NULL && (*at)->id != id) at = &(*at)->next;
  return at;
}

int64_t upload_create(void) {
  Upload *upload = calloc(1, sizeof *upload);
  if (upload == NULL) abort();
  upload->id = ++last_id;
  upload->next = uploads;
  uploads = upload;
  return upload->id;
}

void upload_add_part(int64_t id, int number, const unsigned char md5[MD5_BYTES]) {
  Upload *upload = *find(id);
  if (upload == NULL || number < 1 || number > MOST_PARTS) return;
  memcpy(upload->md5s[number - 1], md5, MD5_BYTES);
  if (number > upload->parts) upload->parts = number;
}

bool upload_complete(int64_t id, char etag[ETAG_CHARS]) {
  Upload *upload = *find(id);
  if (upload == NULL) return false;
  unsigned char digest[MD5_BYTES];
  EVP_Digest(upload->md5s, (size_t)upload->parts * MD5_BYTES, digest, NULL, EVP_md5(), NULL);
  md5_hex(digest, etag);
  snprintf(etag + MD5_HEX - 1, ETAG_CHARS - MD5_HEX + 1, "-%d", upload->parts);
  upload_abort(id);
  return true;
}

void upload_abort(int64_t id) {
  Upload **at = find(id);
  Upload *upload = *at;
  if (upload == NULL) return;
  *at = upload->next;
  free(upload);
}
