/* Object data: a repeated pattern of 1 MiB. It is in a memory file, so that sendfile can send it without a copy. */
#define _GNU_SOURCE
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define PATTERN ((int64_t)1 << 20)
#define FILE_BYTES (64 * PATTERN)
/* Larger objects have the ETag of a multipart upload in parts of this size. */
#define PART ((int64_t)8 << 20)
#define SIZES 64

static int file = -1;
static unsigned char *bytes;

void content_prepare(void) {
  file = memfd_create("content", 0);
  if (file < 0 || ftruncate(file, FILE_BYTES) != 0) abort();
  bytes = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (bytes == MAP_FAILED) abort();
  /* xorshift64, which does not compress. */
  uint64_t state = 88172645463325252u;
  for (int64_t at = 0; at < PATTERN; at += 8) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    memcpy(bytes + at, &state, 8);
  }
  for (int64_t at = PATTERN; at < FILE_BYTES; at += PATTERN) memcpy(bytes + at, bytes, PATTERN);
}

void md5_hex(const unsigned char digest[MD5_BYTES], char hex[MD5_HEX]) {
  for (int i = 0; i < MD5_BYTES; i++) sprintf(hex + 2 * i, "%02x", digest[i]);
}

static void md5_of_content(int64_t size, unsigned char digest[MD5_BYTES]) {
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_md5(), NULL);
  for (int64_t left = size; left > 0; left -= PATTERN) {
    EVP_DigestUpdate(hash, bytes, (size_t)(left < PATTERN ? left : PATTERN));
  }
  EVP_DigestFinal_ex(hash, digest, NULL);
  EVP_MD_CTX_free(hash);
}

/* Parts start at multiples of the pattern, so all but the last have the same MD5. */
static void etag_of_parts(int64_t size, char etag[ETAG_CHARS]) {
  unsigned char full[MD5_BYTES], last[MD5_BYTES], digest[MD5_BYTES];
  int64_t parts = (size + PART - 1) / PART;
  md5_of_content(PART, full);
  md5_of_content(size - (parts - 1) * PART, last);
  EVP_MD_CTX *hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_md5(), NULL);
  for (int64_t i = 1; i <= parts; i++) EVP_DigestUpdate(hash, i < parts ? full : last, MD5_BYTES);
  EVP_DigestFinal_ex(hash, digest, NULL);
  EVP_MD_CTX_free(hash);
  md5_hex(digest, etag);
  snprintf(etag + MD5_HEX - 1, ETAG_CHARS - MD5_HEX + 1, "-%d", (int)parts);
}

const char *content_etag(int64_t size) {
  static struct {
    int64_t size;
    char etag[ETAG_CHARS];
  } known[SIZES];
  static int count;
  for (int i = 0; i < count; i++) {
    if (known[i].size == size) return known[i].etag;
  }
  int slot = count < SIZES ? count++ : SIZES - 1;
  known[slot].size = size;
  if (size > PART) {
    etag_of_parts(size, known[slot].etag);
  } else {
    unsigned char digest[MD5_BYTES];
    md5_of_content(size, digest);
    md5_hex(digest, known[slot].etag);
  }
  return known[slot].etag;
}

int64_t content_size(const char *key) {
  const char *underscore = strrchr(key, '_');
  return underscore == NULL ? 0 : atoll(underscore + 1);
}

void content_copy(Buffer *into, int64_t offset, int64_t count) {
  buffer_add(into, (const char *)bytes + offset % PATTERN, (size_t)count);
}

const void *content_at(int64_t offset) { return bytes + offset % PATTERN; }

int64_t content_send(int socket, int64_t offset, int64_t count) {
  off_t from = offset % PATTERN;
  int64_t most = FILE_BYTES - from;
  return sendfile(socket, file, &from, (size_t)(count < most ? count : most));
}
