/* A keep-alive connection: head, body, response, repeat. Sockets are edge-triggered, so steps run until they block. */
#define _GNU_SOURCE
#include "stub.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISCARD ((int64_t)8 << 20)

typedef enum { DONE, BLOCKED, ENDED } Outcome;

Connection *connection_open(int fd, bool secure) {
  Connection *c = calloc(1, sizeof *c);
  if (c == NULL) abort();
  c->fd = fd;
  c->tls = secure ? tls_open(fd) : NULL;
  c->hash = EVP_MD_CTX_new();
  counters.connections++;
  return c;
}

static void connection_close(Connection *c) {
  SSL_free(c->tls);
  close(c->fd);
  EVP_MD_CTX_free(c->hash);
  free(c->out.data);
  free(c);
}

static Outcome stopped(ssize_t count) { return count < 0 && errno == EAGAIN ? BLOCKED : ENDED; }

/* The body must be hashed if the response contains its MD5 and the client has not sent it. */
static bool hashes(const Request *request) { return strcmp(request->method, "PUT") == 0 && !request->md5_given; }

static void consume(Connection *c, size_t count) {
  c->in_used -= count;
  memmove(c->in, c->in + count, c->in_used);
}

static Outcome read_head(Connection *c) {
  for (;;) {
    char *end = c->in_used == 0 ? NULL : memmem(c->in, c->in_used, "\r\n\r\n", 4);
    if (end != NULL) {
      size_t count = (size_t)(end + 4 - c->in);
      if (!request_parse(&c->request, c->in, count)) return ENDED;
      consume(c, count);
      c->body_left = c->request.content_length;
      if (hashes(&c->request)) EVP_DigestInit_ex(c->hash, EVP_md5(), NULL);
      static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
      if (c->request.expects_continue && wire_send(c, go_on, sizeof go_on - 1, false) < 0) return ENDED;
      return DONE;
    }
    if (c->in_used == sizeof c->in) return ENDED;
    ssize_t count = wire_receive(c, c->in + c->in_used, sizeof c->in - c->in_used);
    if (count <= 0) return stopped(count);
    c->in_used += (size_t)count;
  }
}

static Outcome read_body(Connection *c) {
  static char scratch[1 << 18];
  bool hash = hashes(&c->request);
  if (c->in_used > 0 && c->body_left > 0) {
    size_t count = (int64_t)c->in_used < c->body_left ? c->in_used : (size_t)c->body_left;
    if (hash) EVP_DigestUpdate(c->hash, c->in, count);
    consume(c, count);
    c->body_left -= (int64_t)count;
  }
  while (c->body_left > 0) {
    int64_t most = hash ? (int64_t)sizeof scratch : DISCARD;
    size_t want = (size_t)(c->body_left < most ? c->body_left : most);
    ssize_t count = hash ? wire_receive(c, scratch, want) : wire_discard(c, want);
    if (count <= 0) return stopped(count);
    if (hash) EVP_DigestUpdate(c->hash, scratch, (size_t)count);
    c->body_left -= count;
  }
  if (hash) EVP_DigestFinal_ex(c->hash, c->request.md5, NULL);
  return DONE;
}

static Outcome write_answer(Connection *c) {
  while (c->out_sent < c->out.used) {
    ssize_t count = wire_send(c, c->out.data + c->out_sent, c->out.used - c->out_sent, c->object_left > 0);
    if (count < 0) return stopped(count);
    c->out_sent += (size_t)count;
  }
  while (c->object_left > 0) {
    ssize_t count = wire_send_content(c, c->object_offset, c->object_left);
    if (count <= 0) return stopped(count);
    c->object_offset += count;
    c->object_left -= count;
  }
  c->out.used = c->out_sent = 0;
  return c->request.closes ? ENDED : DONE;
}

bool connection_run(Connection *c, int delay_ms) {
  for (;;) {
    Outcome outcome = DONE;
    switch (c->state) {
      case READING_HEAD:
        outcome = read_head(c);
        if (outcome == DONE) c->state = READING_BODY;
        break;
      case READING_BODY:
        outcome = read_body(c);
        if (outcome != DONE) break;
        /* Questions of the bench itself are answered at once. */
        if (delay_ms > 0 && strncmp(c->request.path, "/-/", 3) != 0) {
          c->state = DELAYED;
          c->due_ms = now_ms() + delay_ms;
          delay_queue_add(c);
          return true;
        }
        respond(c);
        c->state = WRITING;
        break;
      case DELAYED:
        respond(c);
        c->state = WRITING;
        break;
      case WRITING:
        outcome = write_answer(c);
        if (outcome == DONE) c->state = READING_HEAD;
        break;
    }
    if (outcome == BLOCKED) return true;
    if (outcome == ENDED) {
      connection_close(c);
      return false;
    }
  }
}
