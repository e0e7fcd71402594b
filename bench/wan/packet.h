/* Frames as a TUN device with offloading hands them over: a virtio header, IPv4, and one or more TCP segments. */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define MOST_FRAME (65536 + 64)

typedef struct {
  const unsigned char *frame;
  /* Bytes: IP and TCP headers, what is behind them, and what of that one segment holds. */
  int headers, payload, size;
  /* The first packet of a connection. */
  bool opens;
} Segments;

/* False when it is not IPv4. The frame is to outlive the segments. */
bool packet_parse(Segments *s, const unsigned char *frame, int length);
/* The same for both directions of a connection; `way` is 0 or 1. */
uint64_t packet_flow(const Segments *s, int way);
/* Of a frame with so many bytes of the payload. */
int packet_length(const Segments *s, int bytes);
/* Writes a frame of its own with the payload's bytes from `from` on, which begin a segment. */
void packet_cut(const Segments *s, int from, int bytes, unsigned char *into);

#endif
