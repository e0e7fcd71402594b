/*
 * line <namespace a> <namespace b> <device>: a long line between two network namespaces.
 *
 * Opens a TUN device of that name in both and carries IPv4 packets between them with delay, loss, a rate limit and a
 * drop-tail queue. Both ends use the kernel's TCP, so that CUBIC and BBR behave as on a real line. Needs root and
 * /dev/net/tun.
 *
 * Reads lines of words from standard input. Each applies immediately, to both directions:
 *   rtt_ms=200  loss=0.01  rate_mbit=200  queue_ms=100     the line; the rate counts IP bytes
 *   stall_every_s=60 stall_ms=3000                         a connection stalls for this long, about this often
 *   stat                                                   prints counters as a line of JSON; `up` is from a to b
 * Prints "ready" once the devices exist, and exits at the end of its input.
 *
 * The departure time of a packet is computed when it is read. The queue is a clock that is ahead of now by the waiting
 * bytes. Until its departure, the packet is in a timing wheel. The devices deliver dozens of segments at once (TSO).
 * Loss, queue and rate apply to each segment, and neighbors that leave in the same tick are written together (GRO).
 */
#define _GNU_SOURCE
#include "packet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
/* Nanoseconds. Departures are multiples of it. */
#define TICK 500000LL
/* At most 32 s ahead. */
#define SLOTS 65536
#define FLOWS 16384
#define NEVER INT64_MAX
/* Maximum packets per read of a device. */
#define BATCH 64

typedef struct Waiting {
  struct Waiting *next;
  int length;
  unsigned char frame[];
} Waiting;

typedef struct {
  uint64_t id;
  int64_t seen, stall_at, last[2];
} Flow;

static double rtt_ms, loss, rate_mbit, queue_ms = 100, stall_every_s, stall_ms;
static const struct {
  const char *name;
  double *value;
} settings[] = {{"rtt_ms", &rtt_ms},     {"loss", &loss},         {"rate_mbit", &rate_mbit},
                {"queue_ms", &queue_ms}, {"stall_ms", &stall_ms}, {"stall_every_s", &stall_every_s}};

static struct {
  Waiting *first, **end;
} wheel[SLOTS][2];
static int64_t waiting, due = NEVER, delivered;
static Flow flows[FLOWS];
static int64_t line_free[2];
static struct {
  uint64_t packets, bytes, lost, queue_full, stalled;
} counters[2];
static int64_t latest;
static int devices[2];

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

/* xorshift64*, in [0, 1). */
static double chance(void) {
  static uint64_t state = 0x9E3779B97F4A7C15u;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (double)(state * 0x2545F4914F6CDD1Du >> 11) * 0x1p-53;
}

static int64_t next_stall(int64_t now) {
  return stall_every_s > 0 ? now - (int64_t)(log(1 - chance()) * stall_every_s * SECOND) : NEVER;
}

/* The connection of a packet. The time of its first stall is drawn at random. */
static Flow *flow_of(uint64_t id, bool opens, int64_t now) {
  Flow *found = NULL, *oldest = NULL;
  for (int i = 0; i < 8; i++) {
    Flow *flow = &flows[(id + (uint64_t)i) % FLOWS];
    if (flow->id == id) found = flow;
    if (oldest == NULL || flow->seen < oldest->seen) oldest = flow;
  }
  if (found == NULL || opens) {
    if (found == NULL) found = oldest;
    *found = (Flow){.id = id, .stall_at = next_stall(now)};
  }
  found->seen = now;
  return found;
}

/* When a segment arrives at the far end, in nanoseconds; -1 if it is lost. */
static int64_t departure(int way, Flow *flow, int64_t now, int bytes) {
  if (now >= flow->stall_at + (int64_t)(stall_ms * 1e6)) flow->stall_at = next_stall(now);
  if (now >= flow->stall_at) {
    counters[way].stalled++;
    return -1;
  }
  if (chance() < loss) {
    counters[way].lost++;
    return -1;
  }
  int64_t at = line_free[way] > now ? line_free[way] : now;
  if (at - now > (int64_t)(queue_ms * 1e6)) {
    counters[way].queue_full++;
    return -1;
  }
  if (rate_mbit > 0) at += (int64_t)(bytes * 8e3 / rate_mbit);
  line_free[way] = at;
  at += (int64_t)(rtt_ms * 0.5e6);
  if (at < flow->last[way]) at = flow->last[way];
  counters[way].packets++;
  counters[way].bytes += (uint64_t)bytes;
  return flow->last[way] = at;
}

static unsigned char *wait_until(int64_t slot, int to, int length) {
  Waiting *packet = malloc(sizeof *packet + (size_t)length);
  if (packet == NULL) die("malloc");
  *packet = (Waiting){.length = length};
  if (slot <= delivered) slot = delivered + 1;
  if (slot >= delivered + SLOTS) slot = delivered + SLOTS - 1;
  if (wheel[slot % SLOTS][to].first == NULL) wheel[slot % SLOTS][to].end = &wheel[slot % SLOTS][to].first;
  *wheel[slot % SLOTS][to].end = packet;
  wheel[slot % SLOTS][to].end = &packet->next;
  waiting++;
  if (slot < due) due = slot;
  return packet->frame;
}

/* Schedules the departure of every segment of a frame; neighbors in one tick leave together. */
static void carry(int way, const unsigned char *frame, int length, int64_t now) {
  Segments s;
  if (!packet_parse(&s, frame, length)) return;
  Flow *flow = flow_of(packet_flow(&s, way), s.opens, now);
  int64_t slot = -1;
  int first = 0, at = 0;
  do {
    int bytes = s.payload - at < s.size ? s.payload - at : s.size;
    int64_t leaves = departure(way, flow, now, s.headers + bytes);
    int64_t next = leaves < 0 ? -1 : (leaves + TICK / 2) / TICK;
    if (next != slot) {
      if (slot >= 0) packet_cut(&s, first, at - first, wait_until(slot, !way, packet_length(&s, at - first)));
      slot = next;
      first = at;
    }
    at += bytes;
  } while (at < s.payload);
  if (slot >= 0) packet_cut(&s, first, at - first, wait_until(slot, !way, packet_length(&s, at - first)));
}

static void deliver(int64_t now) {
  if (due <= now / TICK && now - due * TICK > latest) latest = now - due * TICK;
  for (; due <= now / TICK; due++) {
    for (int to = 0; to < 2; to++) {
      Waiting *packet = wheel[due % SLOTS][to].first;
      wheel[due % SLOTS][to].first = NULL;
      while (packet != NULL) {
        Waiting *next = packet->next;
        if (write(devices[to], packet->frame, (size_t)packet->length) < 0 && errno != EINVAL) perror("write to TUN");
        free(packet);
        packet = next;
        waiting--;
      }
    }
    delivered = due;
    if (waiting > 0) continue;
    due = NEVER;
    break;
  }
  if (delivered < now / TICK) delivered = now / TICK;
  while (waiting > 0 && wheel[due % SLOTS][0].first == NULL && wheel[due % SLOTS][1].first == NULL) due++;
}

/* `late_ms`: maximum delay of a delivery since the previous report. */
static void tell(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"atMs\":%.3f,\"cpuS\":%.3f,\"lateMs\":%.3f", (double)now_ns() / 1e6, cpu, (double)latest / 1e6);
  for (int way = 0; way < 2; way++) {
    printf(",\"%s\":{\"packets\":%lu,\"bytes\":%lu,\"lost\":%lu,\"queueFull\":%lu,\"stalled\":%lu}", way ? "down" : "up",
           counters[way].packets, counters[way].bytes, counters[way].lost, counters[way].queue_full,
           counters[way].stalled);
  }
  printf("}\n");
  fflush(stdout);
  latest = 0;
}

static void obey(char *word) {
  if (strcmp(word, "stat") == 0) {
    tell();
    return;
  }
  char *value = strchr(word, '=');
  if (value != NULL) *value++ = 0;
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
    if (value == NULL || strcmp(word, settings[i].name) != 0) continue;
    *settings[i].value = atof(value);
    return;
  }
  fprintf(stderr, "line: unknown word '%s'\n", word);
  exit(2);
}

/* False at the end of the input. The writer sends whole lines and waits for the response to each stat. */
static bool listen_to_input(void) {
  char input[4096];
  ssize_t got = read(STDIN_FILENO, input, sizeof input - 1);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  input[got] = 0;
  for (char *word = strtok(input, " \n"); word != NULL; word = strtok(NULL, " \n")) obey(word);
  return got > 0;
}

static int open_device(const char *namespace, const char *name) {
  char path[256];
  snprintf(path, sizeof path, "/var/run/netns/%s", namespace);
  int there = open(path, O_RDONLY | O_CLOEXEC);
  if (there < 0 || setns(there, CLONE_NEWNET) != 0) die(path);
  close(there);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) die("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(device, TUNSETIFF, &request) != 0) die("TUNSETIFF");
  if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) != 0) die("TUNSETOFFLOAD");
  return device;
}

/* During traffic, sleeps until the next tick; otherwise until something happens. */
static void rest(bool busy) {
  int64_t now = now_ns(), until = busy ? (now / TICK + 1) * TICK : waiting > 0 ? due * TICK : now + SECOND;
  if (until <= now) return;
  struct timespec left = {(until - now) / SECOND, (until - now) % SECOND};
  struct pollfd sources[] = {{devices[0], POLLIN, 0}, {devices[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  if (busy) nanosleep(&left, NULL);
  else ppoll(sources, 3, &left, NULL);
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  for (int i = 0; i < 2; i++) devices[i] = open_device(arguments[1 + i], arguments[3]);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  prctl(PR_SET_TIMERSLACK, 1);
  /* Real-time priority: a busy machine must slow down the programs at both ends, not the line. */
  if (sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1}) != 0) perror("real-time priority");
  printf("ready\n");
  fflush(stdout);
  delivered = now_ns() / TICK;
  while (listen_to_input()) {
    static unsigned char frame[MOST_FRAME];
    bool busy = false;
    for (int way = 0; way < 2; way++) {
      for (int i = 0; i < BATCH; i++) {
        ssize_t length = read(devices[way], frame, sizeof frame);
        if (length <= 0) break;
        carry(way, frame, (int)length, now_ns());
        busy = true;
      }
    }
    deliver(now_ns());
    rest(busy);
  }
  return 0;
}
