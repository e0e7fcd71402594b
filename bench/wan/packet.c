#define _GNU_SOURCE
#include "packet.h"

#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <string.h>

#define OFFLOAD ((int)sizeof(struct virtio_net_hdr))
#define IP_LEAST 28

static const struct iphdr *ip_of(const Segments *s) { return (const struct iphdr *)(s->frame + OFFLOAD); }

bool packet_parse(Segments *s, const unsigned char *frame, int length) {
  *s = (Segments){.frame = frame};
  const struct iphdr *ip = ip_of(s);
  length -= OFFLOAD;
  if (length < IP_LEAST || ip->version != 4) return false;
  s->headers = ip->ihl * 4;
  uint16_t segment = 0;
  if (ip->protocol == IPPROTO_TCP) {
    const struct tcphdr *tcp = (const struct tcphdr *)((const unsigned char *)ip + s->headers);
    s->headers += tcp->doff * 4;
    s->opens = tcp->syn && !tcp->ack;
    const struct virtio_net_hdr *offload = (const struct virtio_net_hdr *)frame;
    if (offload->gso_type != VIRTIO_NET_HDR_GSO_NONE) segment = offload->gso_size;
  }
  s->payload = length - s->headers;
  s->size = segment > 0 ? segment : s->payload;
  return s->payload >= 0;
}

uint64_t packet_flow(const Segments *s, int way) {
  const struct iphdr *ip = ip_of(s);
  uint32_t addresses[2];
  uint16_t ports[2] = {0, 0};
  addresses[way] = ip->saddr;
  addresses[!way] = ip->daddr;
  if (ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) {
    const uint16_t *own = (const uint16_t *)((const unsigned char *)ip + ip->ihl * 4);
    ports[way] = own[0];
    ports[!way] = own[1];
  }
  uint64_t hash = (addresses[0] ^ (uint64_t)addresses[1] << 32) * 0x9E3779B97F4A7C15u;
  hash = (hash ^ (ports[0] | (uint64_t)ports[1] << 16 | (uint64_t)ip->protocol << 32)) * 0xD6E8FEB86659FD93u;
  return (hash ^ hash >> 32) | 1;
}

int packet_length(const Segments *s, int bytes) { return OFFLOAD + s->headers + bytes; }

/* RFC 1071, without the complement. */
static uint16_t sum(const void *data, int length, uint32_t from) {
  const uint16_t *word = data;
  for (; length > 1; length -= 2) from += *word++;
  while (from >> 16) from = (from & 0xffff) + (from >> 16);
  return (uint16_t)from;
}

/* The receiving kernel computes the rest of the TCP checksum (CHECKSUM_PARTIAL). */
static uint16_t pseudo_header(const struct iphdr *ip, int length) {
  uint32_t parts = (ip->saddr & 0xffff) + (ip->saddr >> 16) + (ip->daddr & 0xffff) + (ip->daddr >> 16);
  return sum(NULL, 0, parts + htons(IPPROTO_TCP) + htons((uint16_t)length));
}

void packet_cut(const Segments *s, int from, int bytes, unsigned char *into) {
  const int front = OFFLOAD + s->headers;
  memcpy(into, s->frame, (size_t)front);
  memcpy(into + front, s->frame + front + from, (size_t)bytes);
  if (bytes == s->payload) return;
  struct virtio_net_hdr *offload = (struct virtio_net_hdr *)into;
  struct iphdr *ip = (struct iphdr *)(into + OFFLOAD);
  struct tcphdr *tcp = (struct tcphdr *)((unsigned char *)ip + ip->ihl * 4);
  ip->tot_len = htons((uint16_t)(s->headers + bytes));
  ip->id = htons((uint16_t)(ntohs(ip->id) + from / s->size));
  ip->check = 0;
  ip->check = (uint16_t)~sum(ip, ip->ihl * 4, 0);
  tcp->seq = htonl(ntohl(tcp->seq) + (uint32_t)from);
  /* CWR belongs to the first segment, FIN and PSH to the last. */
  if (from > 0) tcp->res2 &= 1;
  if (from + bytes < s->payload) tcp->fin = tcp->psh = 0;
  tcp->check = pseudo_header(ip, s->headers - ip->ihl * 4 + bytes);
  if (bytes <= s->size) {
    offload->gso_type = VIRTIO_NET_HDR_GSO_NONE;
    offload->gso_size = 0;
  }
}
