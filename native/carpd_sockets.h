// The sockets Node lacks: AF_PACKET, NETLINK_ROUTE, AF_UNIX datagrams, and names of AF_UNIX.
//
// Sockets are known to JavaScript by their file descriptor. Every one is also kept in a registry of
// the environment, so that a number which is not (or no longer) ours is answered with EBADF instead
// of reaching a file of somebody else. All of it runs on the environment's own thread; the
// watcher's thread only waits in epoll and hands over numbers.
#ifndef CARPD_SOCKETS_H
#define CARPD_SOCKETS_H

#include <node_api.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One read fits whole: the largest IP packet with its Ethernet header, or a part of a netlink dump.
#define RECEIVE_BYTES_MAX (128 * 1024)

enum socket_kind { SOCKET_PACKET, SOCKET_NETLINK, SOCKET_NAME };

struct watched_socket {
  struct watched_socket *next;
  enum socket_kind kind;
  int fd;
  int ifindex;         // of a packet socket
  uintptr_t watch_id;  // 0: not watched; else never used again for another watch
  napi_ref callback;   // set while watched
};

struct addon {
  struct watched_socket *sockets;
  uintptr_t last_watch_id;
  unsigned watched_count;
  // The watcher, made by the first watch.
  bool watcher_running;
  int epoll_fd;
  int stop_fd;
  pthread_t thread;
  napi_threadsafe_function wake;
  unsigned char receive_buffer[RECEIVE_BYTES_MAX];
};

// sockets.c: errors, arguments, the registry.

// Throws an Error whose `code` is the name of `error` ("ENODEV"); always returns NULL.
napi_value throw_errno(napi_env env, const char *operation, int error);
// Throws if `status` is not napi_ok; true if it is. A pending exception is left as it is.
bool check(napi_env env, napi_status status);
// Reads exactly `count` arguments (missing ones are undefined) and the addon; false: has thrown.
bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                    struct addon **addon);
bool read_int(napi_env env, napi_value value, int *number);
bool read_bool(napi_env env, napi_value value, bool *truth);
// The bytes of a Uint8Array; they stay JavaScript's and may be used during the call only.
bool read_bytes(napi_env env, napi_value value, const void **data, size_t *length);
bool is_undefined(napi_env env, napi_value value);
// The registered socket whose descriptor `value` is; throws EBADF and returns NULL if there is
// none.
struct watched_socket *find_socket(napi_env env, struct addon *addon, napi_value value,
                                   const char *operation);
// Registers `fd` and returns its number; on any failure closes it and throws.
napi_value register_socket(napi_env env, struct addon *addon, enum socket_kind kind, int fd,
                           int ifindex);
napi_value undefined_value(napi_env env);

// packet_socket.c
napi_value open_packet(napi_env env, napi_callback_info info);
napi_value attach_filter(napi_env env, napi_callback_info info);
napi_value join_link_group(napi_env env, napi_callback_info info);

// datagram.c
napi_value open_netlink(napi_env env, napi_callback_info info);
napi_value send_bytes(napi_env env, napi_callback_info info);
napi_value receive_bytes(napi_env env, napi_callback_info info);
napi_value set_receive_buffer(napi_env env, napi_callback_info info);
napi_value send_unix_datagram(napi_env env, napi_callback_info info);
napi_value close_socket(napi_env env, napi_callback_info info);

// names.c
napi_value open_name(napi_env env, napi_callback_info info);
napi_value holder_of_name(napi_env env, napi_callback_info info);
// Accepts whoever has connected to a name, and hangs up.
void drop_callers(int fd);

// process.c
napi_value close_on_exec(napi_env env, napi_callback_info info);

// requests.c
napi_value send_in_background(napi_env env, napi_callback_info info);

// watcher.c
napi_value watch_socket(napi_env env, napi_callback_info info);
napi_value unwatch_socket(napi_env env, napi_callback_info info);
// Ends the watch of one socket, if there is one; never throws.
void end_watch(napi_env env, struct addon *addon, struct watched_socket *entry);

#endif
