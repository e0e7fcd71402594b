/* Synthetic listings: object number i has a key that can be computed, so that any page is written without a search. */
#define _GNU_SOURCE
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS 256
#define PAGE 1000

typedef struct {
  int64_t count, size;
  /* 0: flat. */
  int64_t prefixes, per_prefix;
} Bucket;

/* Which numbers a request is about: of objects, or of the common prefixes. */
typedef struct {
  int64_t first, end;
  bool of_prefixes;
} Span;

/* <name>-<count>-<size>-<flat|pN>, read from its end. */
static Bucket bucket_named(const char *name) {
  char text[NAME_CHARS];
  Bucket bucket = {0};
  snprintf(text, sizeof text, "%s", name);
  char *layout = strrchr(text, '-');
  if (layout == NULL) return bucket;
  *layout++ = 0;
  char *size = strrchr(text, '-');
  if (size == NULL) return bucket;
  *size++ = 0;
  char *count = strrchr(text, '-');
  bucket.count = count == NULL ? 0 : atoll(count + 1);
  bucket.size = atoll(size);
  bucket.prefixes = layout[0] == 'p' ? atoll(layout + 1) : 0;
  if (bucket.prefixes > 0) bucket.per_prefix = (bucket.count + bucket.prefixes - 1) / bucket.prefixes;
  return bucket;
}

static int key_print(char *into, const Bucket *bucket, int64_t i) {
  if (bucket->prefixes == 0) return sprintf(into, "%09ld_%ld.bin", (long)i, (long)bucket->size);
  return sprintf(into, "p%05ld/%09ld_%ld.bin", (long)(i / bucket->per_prefix), (long)i, (long)bucket->size);
}

static Span span_of(const Bucket *bucket, const char *prefix, bool delimited) {
  Span span = {0, bucket->count, false};
  if (bucket->prefixes > 0 && prefix[0] == 0 && delimited && bucket->count > 0) {
    return (Span){0, bucket->prefixes, true};
  }
  if (prefix[0] == 0) return span;
  /* Only whole prefixes are asked for by the clients that are measured. */
  if (bucket->prefixes == 0 || prefix[0] != 'p') return (Span){0, 0, false};
  span.first = atoll(prefix + 1) * bucket->per_prefix;
  span.end = span.first + bucket->per_prefix;
  if (span.end > bucket->count) span.end = bucket->count;
  return span;
}

/* The number after a key or common prefix that was listed before. */
static int64_t number_after(const Bucket *bucket, const Span *span, const char *key) {
  if (span->of_prefixes) return atoll(key + 1) + 1;
  const char *slash = strchr(key, '/');
  if (bucket->prefixes == 0) return atoll(key) + 1;
  return slash != NULL && slash[1] != 0 ? atoll(slash + 1) + 1 : (atoll(key + 1) + 1) * bucket->per_prefix;
}

static void entries_write(Buffer *into, const Bucket *bucket, const Span *page) {
  char rest[256], key[64];
  sprintf(rest,
          "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;%s&quot;</ETag><Size>%ld</Size>"
          "<StorageClass>STANDARD</StorageClass></Contents>",
          content_etag(bucket->size), (long)bucket->size);
  size_t rest_length = strlen(rest);
  for (int64_t i = page->first; i < page->end; i++) {
    buffer_add(into, "<Contents><Key>", 15);
    buffer_add(into, key, (size_t)key_print(key, bucket, i));
    buffer_add(into, rest, rest_length);
  }
}

void listing_write(Buffer *into, const char *bucket_name, const char *query) {
  char text[TARGET_CHARS], prefix[NAME_CHARS];
  Bucket bucket = bucket_named(bucket_name);
  query_get(query, "prefix", prefix, sizeof prefix);
  bool version2 = query_get(query, "list-type", text, sizeof text);
  bool delimited = query_get(query, "delimiter", text, sizeof text) && text[0] != 0;
  Span page = span_of(&bucket, prefix, delimited);
  int64_t last = page.end;
  if (query_get(query, "continuation-token", text, sizeof text)) {
    page.first = atoll(text);
  } else if (query_get(query, version2 ? "start-after" : "marker", text, sizeof text) && text[0] != 0) {
    int64_t after = number_after(&bucket, &page, text);
    if (after > page.first) page.first = after;
  }
  int64_t most = query_get(query, "max-keys", text, sizeof text) ? atoll(text) : PAGE;
  if (most > PAGE || most < 0) most = PAGE;
  if (page.end > page.first + most) page.end = page.first + most;
  bool truncated = page.end < last;

  buffer_print(into, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                     "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>%s</Name><Prefix>%s</Prefix>"
                     "<MaxKeys>%d</MaxKeys><IsTruncated>%s</IsTruncated>",
               bucket_name, prefix, (int)most, truncated ? "true" : "false");
  if (delimited) buffer_print(into, "<Delimiter>/</Delimiter>");
  if (query_get(query, "encoding-type", text, sizeof text)) buffer_print(into, "<EncodingType>url</EncodingType>");
  if (version2) buffer_print(into, "<KeyCount>%ld</KeyCount>", (long)(page.end > page.first ? page.end - page.first : 0));
  if (truncated && version2) {
    buffer_print(into, "<NextContinuationToken>%ld</NextContinuationToken>", (long)page.end);
  } else if (truncated) {
    if (page.of_prefixes) sprintf(text, "p%05ld/", (long)(page.end - 1));
    else key_print(text, &bucket, page.end - 1);
    buffer_print(into, "<NextMarker>%s</NextMarker>", text);
  }
  if (page.of_prefixes) {
    for (int64_t i = page.first; i < page.end; i++) {
      buffer_print(into, "<CommonPrefixes><Prefix>p%05ld/</Prefix></CommonPrefixes>", (long)i);
    }
  } else {
    entries_write(into, &bucket, &page);
  }
  buffer_print(into, "</ListBucketResult>");
}
