// Packet sockets: whole Ethernet frames of one interface, below the firewall.
#include "carpd_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

// 0, or the errno of setsockopt. `filter` is an array of struct sock_filter as bytes.
static int set_filter(int fd, const void *filter, size_t length) {
  size_t count = length / sizeof(struct sock_filter);
  if (count == 0 || length % sizeof(struct sock_filter) != 0 || count > BPF_MAXINSNS) return EINVAL;
  // The bytes may stand at any address; the kernel copies them from an aligned array.
  struct sock_filter instructions[BPF_MAXINSNS];
  memcpy(instructions, filter, length);
  struct sock_fprog program = {.len = (unsigned short)count, .filter = instructions};
  int rc = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
  return rc == 0 ? 0 : errno;
}

// 0, or the errno of the first step that failed.
static int set_up(int fd, int ifindex, int protocol, bool ignore_outgoing) {
  int on = 1;
  // Tells of a VLAN tag that the kernel took out of the frame.
  if (protocol != 0 && setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) != 0) {
    return errno;
  }
  // Names the port of a bond by which a frame came in, where the socket listens on the bond.
  if (protocol != 0 && setsockopt(fd, SOL_PACKET, PACKET_ORIGDEV, &on, sizeof(on)) != 0) {
    return errno;
  }
  // Kernels before 4.20 cannot; there sll_pkttype still tells what went out.
  if (ignore_outgoing && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 &&
      errno != ENOPROTOOPT) {
    return errno;
  }
  struct sockaddr_ll address;
  memset(&address, 0, sizeof(address));
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons((uint16_t)protocol);
  address.sll_ifindex = ifindex;
  return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
}

// openPacket(ifindex, protocol, filter | undefined, ignoreOutgoing): the descriptor.
// The socket is made with protocol 0, which receives nothing: so neither a frame of another
// interface nor one that the filter refuses can get in before both are set.
napi_value open_packet(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  struct addon *addon;
  int ifindex = 0;
  int protocol = 0;
  bool ignore_outgoing = false;
  const void *filter = NULL;
  size_t filter_length = 0;
  if (!read_arguments(env, info, 4, arguments, &addon)) return NULL;
  if (!read_int(env, arguments[0], &ifindex) || !read_int(env, arguments[1], &protocol)) {
    return NULL;
  }
  if (!is_undefined(env, arguments[2]) &&
      !read_bytes(env, arguments[2], &filter, &filter_length)) {
    return NULL;
  }
  if (!read_bool(env, arguments[3], &ignore_outgoing)) return NULL;
  // Index 0 would mean every interface.
  if (ifindex <= 0) return throw_errno(env, "open a packet socket", ENODEV);
  if (protocol < 0 || protocol > 0xffff) return throw_errno(env, "open a packet socket", EINVAL);

  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, "open a packet socket", errno);
  int error = filter == NULL ? 0 : set_filter(fd, filter, filter_length);
  if (error == 0) error = set_up(fd, ifindex, protocol, ignore_outgoing);
  if (error != 0) {
    close(fd);
    return throw_errno(env, "set up a packet socket", error);
  }
  return register_socket(env, addon, SOCKET_PACKET, fd, ifindex);
}

// attachFilter(fd, filter): replaces the filter; frames that are queued already stay queued.
napi_value attach_filter(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  const void *filter = NULL;
  size_t length = 0;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "attach a filter");
  if (entry == NULL || !read_bytes(env, arguments[1], &filter, &length)) return NULL;
  int error = set_filter(entry->fd, filter, length);
  if (error != 0) return throw_errno(env, "attach a filter", error);
  return undefined_value(env);
}

// joinLinkGroup(fd, address): the interface takes in frames to this group address while the socket
// is open; a network card drops those of groups that nobody asked for.
napi_value join_link_group(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  const void *address = NULL;
  size_t length = 0;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "join a link group");
  if (entry == NULL || !read_bytes(env, arguments[1], &address, &length)) return NULL;
  if (length != ETH_ALEN) return throw_errno(env, "join a link group", EINVAL);
  struct packet_mreq request;
  memset(&request, 0, sizeof(request));
  request.mr_ifindex = entry->ifindex;
  request.mr_type = PACKET_MR_MULTICAST;
  request.mr_alen = ETH_ALEN;
  memcpy(request.mr_address, address, ETH_ALEN);
  if (setsockopt(entry->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) != 0) {
    return throw_errno(env, "join a link group", errno);
  }
  return undefined_value(env);
}
