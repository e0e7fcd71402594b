/*
 * stub <ports> [delay in ms] [address] [certificate] [congestion control]: listens on <ports> free ports of the address
 * (127.0.0.1), prints their numbers on one line, and serves until its standard input is closed. Uses one thread, and so
 * at most one core. With a file for its certificate, which it makes and writes, these ports speak TLS, and it adds one
 * that does not. An empty argument stands for an absent one.
 */
#define _GNU_SOURCE
#include "stub.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_PORTS 8
#define EVENTS 256

/*
 * All connections wait equally long, so the first added is the first due. Only this queue runs a waiting connection. If
 * its socket also ran it, its response would be early, and it could be freed or added again while still in the queue.
 */
static Connection *first_due, *last_due;

int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void delay_queue_add(Connection *c) {
  counters.held++;
  c->next_due = NULL;
  if (first_due == NULL) first_due = c;
  else last_due->next_due = c;
  last_due = c;
}

static void run_due(int delay_ms) {
  while (first_due != NULL && first_due->due_ms <= now_ms()) {
    Connection *c = first_due;
    first_due = c->next_due;
    counters.held--;
    connection_run(c, delay_ms);
  }
}

/* Accepted sockets inherit the congestion control. */
static int listen_somewhere(in_addr_t on, const char *congestion) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = on};
  socklen_t length = sizeof address;
  if (congestion[0] != 0 && setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, congestion, strlen(congestion)) != 0) {
    perror(congestion);
    exit(1);
  }
  if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
    perror("listen");
    exit(1);
  }
  printf("%d ", ntohs(address.sin_port));
  return listener;
}

static void accept_all(int listener, int poll, bool secure) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection_open(fd, secure)};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int count, char **arguments) {
  int ports = count > 1 ? atoi(arguments[1]) : 1, delay_ms = count > 2 ? atoi(arguments[2]) : 0;
  const char *address = count > 3 ? arguments[3] : "127.0.0.1";
  int secure = count > 4 && arguments[4][0] != 0 ? ports : 0;
  const char *congestion = count > 5 ? arguments[5] : "";
  in_addr_t on = inet_addr(address);
  if (secure > 0) ports++;
  int listeners[MOST_PORTS], poll = epoll_create1(0);
  if (ports < 1 || ports > MOST_PORTS || on == INADDR_NONE) return 2;
  if (secure > 0 && !tls_prepare(arguments[4], address)) {
    perror(arguments[4]);
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  content_prepare();
  for (int i = 0; i < ports; i++) {
    listeners[i] = listen_somewhere(on, congestion);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, listeners[i], &event);
  }
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &input);
  printf("\n");
  fflush(stdout);
  for (;;) {
    run_due(delay_ms);
    int64_t wait = first_due == NULL ? -1 : first_due->due_ms - now_ms();
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(poll, events, EVENTS, first_due != NULL && wait < 0 ? 0 : (int)wait);
    for (int i = 0; i < ready; i++) {
      void *what = events[i].data.ptr;
      if (what == NULL) return 0;
      if (what >= (void *)listeners && what < (void *)(listeners + ports)) {
        accept_all(*(int *)what, poll, (int *)what - listeners < secure);
      } else if (((Connection *)what)->state != DELAYED) {
        connection_run(what, delay_ms);
      }
    }
  }
}
