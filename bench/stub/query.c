#include "stub.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static size_t decode(const char *text, size_t length, char *into, size_t capacity) {
  size_t written = 0;
  for (size_t i = 0; i < length && written + 1 < capacity; i++) {
    if (text[i] == '%' && i + 2 < length && isxdigit((unsigned char)text[i + 1])) {
      const char hex[3] = {text[i + 1], text[i + 2], 0};
      into[written++] = (char)strtol(hex, NULL, 16);
      i += 2;
    } else {
      into[written++] = text[i] == '+' ? ' ' : text[i];
    }
  }
  into[written] = 0;
  return written;
}

bool query_get(const char *query, const char *name, char *value, size_t capacity) {
  size_t length = strlen(name);
  value[0] = 0;
  for (const char *at = query; *at != 0;) {
    size_t whole = strcspn(at, "&");
    if (whole >= length && strncmp(at, name, length) == 0 && (whole == length || at[length] == '=')) {
      if (whole > length) decode(at + length + 1, whole - length - 1, value, capacity);
      return true;
    }
    at += whole;
    if (*at == '&') at++;
  }
  return false;
}
