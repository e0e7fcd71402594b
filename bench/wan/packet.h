/* Frames of a TUN device with offloading: a virtio header, IPv4, and one or more TCP segments. */
#ifndef PACKET_H
#define PACKET_H

#include <stdbool.h>
#include <stdint.h>

#define MOST_FRAME (65536 + 64)

typedef struct {
  const unsigned char *frame;
  /* Bytes of the IP and TCP headers, of the payload, and of the payload per segment. */
  int headers, payload, size;
  /* The first packet of a connection. */
  bool opens;
} Segments;

/* False if it is not IPv4. The frame must outlive the segments. */
bool packet_parse(Segments *s, const unsigned char *frame, int length);
/* A connection's ID, the same in both directions; `way` is 0 or 1. */
uint64_t packet_flow(const Segments *s, int way);
/* The length of a frame with `bytes` of the payload. */
int packet_length(const Segments *s, int bytes);
/* Writes a separate frame with the payload from `from`, which must be the start of a segment. */
void packet_cut(const Segments *s, int from, int bytes, unsigned char *into);

#endif
