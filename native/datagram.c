// Netlink sockets, one-shot Unix datagrams, and sending and receiving on any registered socket.
#include "carpd_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// openNetlink(groups): a NETLINK_ROUTE socket that hears these groups (a mask of RTMGRP_*).
napi_value open_netlink(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  int groups = 0;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  if (!read_int(env, arguments[0], &groups)) return NULL;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return throw_errno(env, "open a netlink socket", errno);
  struct sockaddr_nl address;
  memset(&address, 0, sizeof(address));
  address.nl_family = AF_NETLINK;
  address.nl_groups = (uint32_t)groups;
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, "bind a netlink socket", error);
  }
  return register_socket(env, addon, SOCKET_NETLINK, fd, 0);
}

static ssize_t send_frame(const struct watched_socket *entry, const void *data, size_t length) {
  struct sockaddr_ll address;
  memset(&address, 0, sizeof(address));
  address.sll_family = AF_PACKET;
  address.sll_ifindex = entry->ifindex;
  // A frame without its EtherType is refused by the kernel anyway.
  if (length >= ETH_HLEN) memcpy(&address.sll_protocol, (const char *)data + 12, 2);
  return sendto(entry->fd, data, length, 0, (struct sockaddr *)&address, sizeof(address));
}

static ssize_t send_netlink(const struct watched_socket *entry, const void *data, size_t length) {
  struct sockaddr_nl kernel;
  memset(&kernel, 0, sizeof(kernel));
  kernel.nl_family = AF_NETLINK;
  return sendto(entry->fd, data, length, 0, (struct sockaddr *)&kernel, sizeof(kernel));
}

// send(fd, bytes): the whole datagram now, or an error.
napi_value send_bytes(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  const void *data = NULL;
  size_t length = 0;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "send");
  if (entry == NULL || !read_bytes(env, arguments[1], &data, &length)) return NULL;
  if (entry->kind == SOCKET_NAME) return throw_errno(env, "send", EINVAL);
  ssize_t sent = entry->kind == SOCKET_PACKET ? send_frame(entry, data, length)
                                              : send_netlink(entry, data, length);
  if (sent < 0) return throw_errno(env, "send", errno);
  if ((size_t)sent != length) return throw_errno(env, "send", EMSGSIZE);
  return undefined_value(env);
}

static bool set_number(napi_env env, napi_value object, const char *name, uint32_t number) {
  napi_value value = NULL;
  return check(env, napi_create_uint32(env, number, &value)) &&
         check(env, napi_set_named_property(env, object, name, value));
}

static bool set_bytes(napi_env env, napi_value object, const void *data, size_t length) {
  napi_value buffer = NULL;
  napi_value array = NULL;
  void *copy = NULL;
  if (!check(env, napi_create_arraybuffer(env, length, &copy, &buffer))) return false;
  if (length > 0) memcpy(copy, data, length);
  return check(env, napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array)) &&
         check(env, napi_set_named_property(env, object, "bytes", array));
}

// The tag control field of a VLAN tag that the kernel took out of the frame, or -1.
static int vlan_tag(struct msghdr *message) {
  for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
       control = CMSG_NXTHDR(message, control)) {
    if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA) continue;
    struct tpacket_auxdata auxdata;
    if (control->cmsg_len < CMSG_LEN(sizeof(auxdata))) return -1;
    memcpy(&auxdata, CMSG_DATA(control), sizeof(auxdata));
    return (auxdata.tp_status & TP_STATUS_VLAN_VALID) != 0 ? auxdata.tp_vlan_tci : -1;
  }
  return -1;
}

static bool describe_packet(napi_env env, napi_value result, struct msghdr *message) {
  struct sockaddr_ll from;
  memcpy(&from, message->msg_name, sizeof(from));
  int vlan = vlan_tag(message);
  if (!set_number(env, result, "packetType", from.sll_pkttype)) return false;
  if (!set_number(env, result, "ifindex", (uint32_t)from.sll_ifindex)) return false;
  if (!set_number(env, result, "protocol", ntohs(from.sll_protocol))) return false;
  return vlan < 0 || set_number(env, result, "vlan", (uint32_t)vlan);
}

static bool describe_netlink(napi_env env, napi_value result, struct msghdr *message) {
  struct sockaddr_nl from;
  memcpy(&from, message->msg_name, sizeof(from));
  return set_number(env, result, "port", from.nl_pid);
}

// receive(fd): one datagram in bytes of its own, or undefined if none waits. A name never has one:
// its callers are let go.
napi_value receive_bytes(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "receive");
  if (entry == NULL) return NULL;
  if (entry->kind == SOCKET_NAME) {
    drop_callers(entry->fd);
    return undefined_value(env);
  }

  struct sockaddr_storage from;
  memset(&from, 0, sizeof(from));
  union {
    struct cmsghdr aligned;
    char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
  } control;
  struct iovec part = {.iov_base = addon->receive_buffer, .iov_len = RECEIVE_BYTES_MAX};
  struct msghdr message;
  memset(&message, 0, sizeof(message));
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  ssize_t length = recvmsg(entry->fd, &message, 0);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return undefined_value(env);
    return throw_errno(env, "receive", errno);
  }

  napi_value result = NULL;
  napi_value truncated = NULL;
  if (!check(env, napi_create_object(env, &result))) return NULL;
  if (!set_bytes(env, result, addon->receive_buffer, (size_t)length)) return NULL;
  if (!check(env, napi_get_boolean(env, (message.msg_flags & MSG_TRUNC) != 0, &truncated)) ||
      !check(env, napi_set_named_property(env, result, "truncated", truncated))) {
    return NULL;
  }
  bool described = entry->kind == SOCKET_PACKET ? describe_packet(env, result, &message)
                                                : describe_netlink(env, result, &message);
  return described ? result : NULL;
}

// setReceiveBuffer(fd, bytes): beyond net.core.rmem_max where the process may.
napi_value set_receive_buffer(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  int bytes = 0;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "set the receive buffer");
  if (entry == NULL || !read_int(env, arguments[1], &bytes)) return NULL;
  if (setsockopt(entry->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0 &&
      setsockopt(entry->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0) {
    return throw_errno(env, "set the receive buffer", errno);
  }
  return undefined_value(env);
}

// 0, or why the path can't be an address. "@name" is a name in the abstract namespace.
static int unix_address(const char *path, size_t length, struct sockaddr_un *address,
                        socklen_t *address_length) {
  memset(address, 0, sizeof(*address));
  address->sun_family = AF_UNIX;
  if (length == 0) return ENOENT;
  if (length >= sizeof(address->sun_path)) return ENAMETOOLONG;
  if (memchr(path, '\0', length) != NULL) return EINVAL;
  memcpy(address->sun_path, path, length);
  if (path[0] == '@') address->sun_path[0] = '\0';
  // An abstract name ends where the address does; a path ends at its NUL.
  size_t name_length = path[0] == '@' ? length : length + 1;
  *address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_length);
  return 0;
}

// sendUnixDatagram(path, bytes): through a socket of its own, never waiting for the reader.
napi_value send_unix_datagram(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  const void *data = NULL;
  size_t length = 0;
  char path[128];
  size_t path_length = 0;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  if (!check(env, napi_get_value_string_utf8(env, arguments[0], path, sizeof(path),
                                             &path_length))) {
    return NULL;
  }
  if (!read_bytes(env, arguments[1], &data, &length)) return NULL;
  struct sockaddr_un address;
  socklen_t address_length = 0;
  int error = unix_address(path, path_length, &address, &address_length);
  if (error != 0) return throw_errno(env, "send a Unix datagram", error);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, "open a Unix socket", errno);
  ssize_t sent =
      sendto(fd, data, length, MSG_NOSIGNAL, (struct sockaddr *)&address, address_length);
  error = sent < 0 ? errno : 0;
  close(fd);
  if (error != 0) return throw_errno(env, "send a Unix datagram", error);
  return undefined_value(env);
}

// close(fd): its callback is never called again, not even for a wake-up that is under way.
napi_value close_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "close");
  if (entry == NULL) return NULL;
  end_watch(env, addon, entry);
  struct watched_socket **link = &addon->sockets;
  while (*link != entry) link = &(*link)->next;
  *link = entry->next;
  // On Linux the descriptor is gone whatever close returns.
  close(entry->fd);
  free(entry);
  return undefined_value(env);
}
