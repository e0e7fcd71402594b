#define _GNU_SOURCE
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One header. The value ends with a NUL. */
static void header_parse(Request *request, const char *name, char *value) {
  if (strcasecmp(name, "content-length") == 0) {
    request->content_length = atoll(value);
  } else if (strcasecmp(name, "range") == 0) {
    request->last = INT64_MAX;
    request->ranged = sscanf(value, "bytes=%ld-%ld", &request->first, &request->last) >= 1;
  } else if (strcasecmp(name, "content-md5") == 0 && strlen(value) == 24) {
    /* 24 characters decode to 18 bytes, of which the last two are padding. */
    unsigned char decoded[18];
    request->md5_given = EVP_DecodeBlock(decoded, (unsigned char *)value, 24) == 18;
    memcpy(request->md5, decoded, MD5_BYTES);
  } else if (strcasecmp(name, "if-match") == 0) {
    value += strspn(value, "\"");
    snprintf(request->if_match, sizeof request->if_match, "%.*s", (int)strcspn(value, "\""), value);
  } else if (strcasecmp(name, "expect") == 0) {
    request->expects_continue = true;
  } else if (strcasecmp(name, "connection") == 0) {
    request->closes = strcasecmp(value, "close") == 0;
  } else if (strcasecmp(name, "transfer-encoding") == 0) {
    request->chunked = true;
  } else if (strcasecmp(name, "x-amz-copy-source") == 0) {
    request->copies = true;
  }
}

bool request_parse(Request *request, char *head, size_t count) {
  memset(request, 0, sizeof *request);
  char *end = head + count;
  char *line_end = memmem(head, count, "\r\n", 2);
  *line_end = 0;
  if (sscanf(head, "%7s %4095s", request->method, request->path) != 2) return false;
  request->query = strchr(request->path, '?');
  if (request->query != NULL) *request->query++ = 0;
  else request->query = "";
  for (char *line = line_end + 2; line < end - 2; line = line_end + 2) {
    line_end = memmem(line, (size_t)(end - line), "\r\n", 2);
    *line_end = 0;
    char *colon = strchr(line, ':');
    if (colon == NULL) return false;
    *colon = 0;
    header_parse(request, line, colon + 1 + strspn(colon + 1, " "));
  }
  return true;
}
