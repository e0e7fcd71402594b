/* Synthetic listings. The key of object number i is computed, so that any page is written without a search. */
#define _GNU_SOURCE
#include "stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS 256
#define PAGE 1000

typedef struct {
  int64_t count, size;
  /* 0 for flat keys. */
  int64_t prefixes, per_prefix;
  /* Of each key, in a list of versions; 0 if the bucket keeps none. In a list of objects, each of them is a key. */
  int64_t versions;
} Bucket;

/* A range of numbers, of objects or of common prefixes. */
typedef struct {
  int64_t first, end;
  bool of_prefixes;
} Span;

/* <name>-<count>-<size>-<flat|pN|vN>, read from its end. */
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
  bucket.versions = layout[0] == 'v' ? atoll(layout + 1) : 0;
  if (bucket.prefixes > 0) bucket.per_prefix = (bucket.count + bucket.prefixes - 1) / bucket.prefixes;
  return bucket;
}

static int key_print(char *into, const Bucket *bucket, int64_t i) {
  if (bucket->prefixes == 0) return sprintf(into, "%09ld_%ld.bin", (long)i, (long)bucket->size);
  return sprintf(into, "p%05ld/%09ld_%ld.bin", (long)(i / bucket->per_prefix), (long)i, (long)bucket->size);
}

static void name_print(char *into, const Bucket *bucket, int64_t i, bool of_prefixes) {
  if (of_prefixes) sprintf(into, "p%05ld/", (long)i);
  else key_print(into, bucket, i);
}

/* The first number within `within` whose name is not before `text` or, with `after`, is after it. */
static int64_t search(const Bucket *bucket, Span within, const char *text, bool after) {
  char name[64];
  int64_t low = within.first, high = within.end;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    name_print(name, bucket, middle, within.of_prefixes);
    int order = strcmp(name, text);
    if (order < 0 || (after && order == 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

static Span span_of(const Bucket *bucket, const char *prefix, bool delimited) {
  Span span = {0, bucket->count, false};
  if (delimited && bucket->prefixes > 0 && strchr(prefix, '/') == NULL) {
    span = (Span){0, bucket->count > 0 ? bucket->prefixes : 0, true};
  }
  if (prefix[0] == 0) return span;
  /* Keys with a prefix sort before the prefix with its last byte incremented. */
  char beyond[NAME_CHARS];
  snprintf(beyond, sizeof beyond, "%s", prefix);
  beyond[strlen(beyond) - 1]++;
  Span found = {search(bucket, span, prefix, false), search(bucket, span, beyond, false), span.of_prefixes};
  return found;
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
    page.first = search(&bucket, page, text, true);
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
    name_print(text, &bucket, page.end - 1, page.of_prefixes);
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

bool keeps_versions(const char *bucket_name) { return bucket_named(bucket_name).versions > 0; }

/* The row after which a page of versions begins, and one. The ID of a version is the number of its row. */
static int64_t first_row(const Bucket *bucket, const char *query) {
  char text[TARGET_CHARS];
  if (query_get(query, "version-id-marker", text, sizeof text) && text[0] != 0) return atoll(text) + 1;
  if (!query_get(query, "key-marker", text, sizeof text) || text[0] == 0) return 0;
  Span keys = {0, bucket->count / bucket->versions, false};
  return search(bucket, keys, text, true) * bucket->versions;
}

void versions_write(Buffer *into, const char *bucket_name, const char *query) {
  char text[TARGET_CHARS], key[64];
  Bucket bucket = bucket_named(bucket_name);
  int64_t first = bucket.count > 0 ? first_row(&bucket, query) : 0;
  int64_t most = query_get(query, "max-keys", text, sizeof text) ? atoll(text) : PAGE;
  if (most > PAGE || most < 0) most = PAGE;
  int64_t end = first + most < bucket.count ? first + most : bucket.count;
  bool truncated = end < bucket.count;
  buffer_print(into, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListVersionsResult "
                     "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>%s</Name><MaxKeys>%d</MaxKeys>"
                     "<EncodingType>url</EncodingType><IsTruncated>%s</IsTruncated>",
               bucket_name, (int)most, truncated ? "true" : "false");
  if (truncated) {
    key_print(key, &bucket, (end - 1) / bucket.versions);
    buffer_print(into, "<NextKeyMarker>%s</NextKeyMarker><NextVersionIdMarker>%ld</NextVersionIdMarker>", key,
                 (long)(end - 1));
  }
  for (int64_t row = first; row < end; row++) {
    key_print(key, &bucket, row / bucket.versions);
    buffer_print(into,
                 "<Version><Key>%s</Key><VersionId>%ld</VersionId><IsLatest>%s</IsLatest>"
                 "<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;%s&quot;</ETag><Size>%ld</Size>"
                 "<StorageClass>STANDARD</StorageClass></Version>",
                 key, (long)row, row % bucket.versions == 0 ? "true" : "false", content_etag(bucket.size),
                 (long)bucket.size);
  }
  buffer_print(into, "</ListVersionsResult>");
}
