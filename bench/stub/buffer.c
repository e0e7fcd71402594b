#include "stub.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(Buffer *buffer, size_t count) {
  if (buffer->used + count <= buffer->capacity) return;
  buffer->capacity = 2 * (buffer->used + count);
  buffer->data = realloc(buffer->data, buffer->capacity);
  if (buffer->data == NULL) abort();
}

void buffer_add(Buffer *buffer, const char *bytes, size_t count) {
  make_room(buffer, count);
  memcpy(buffer->data + buffer->used, bytes, count);
  buffer->used += count;
}

void buffer_print(Buffer *buffer, const char *format, ...) {
  va_list values;
  va_start(values, format);
  int count = vsnprintf(NULL, 0, format, values);
  va_end(values);
  make_room(buffer, (size_t)count + 1);
  va_start(values, format);
  vsnprintf(buffer->data + buffer->used, (size_t)count + 1, format, values);
  va_end(values);
  buffer->used += (size_t)count;
}
