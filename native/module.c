// The module: what JavaScript sees, and what is freed when its environment ends.
#include "carpd_sockets.h"

#include <stdlib.h>
#include <unistd.h>

// Runs when the environment ends, after the watcher's own hook: no thread is left by now.
static void free_addon(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct addon *addon = data;
  struct watched_socket *entry = addon->sockets;
  while (entry != NULL) {
    struct watched_socket *next = entry->next;
    close(entry->fd);
    free(entry);
    entry = next;
  }
  free(addon);
}

NAPI_MODULE_INIT() {
  static const napi_property_descriptor functions[] = {
      {"openPacket", NULL, open_packet, NULL, NULL, NULL, napi_enumerable, NULL},
      {"attachFilter", NULL, attach_filter, NULL, NULL, NULL, napi_enumerable, NULL},
      {"joinLinkGroup", NULL, join_link_group, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openNetlink", NULL, open_netlink, NULL, NULL, NULL, napi_enumerable, NULL},
      {"send", NULL, send_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
      {"receive", NULL, receive_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
      {"setReceiveBuffer", NULL, set_receive_buffer, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sendUnixDatagram", NULL, send_unix_datagram, NULL, NULL, NULL, napi_enumerable, NULL},
      {"watch", NULL, watch_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"unwatch", NULL, unwatch_socket, NULL, NULL, NULL, napi_enumerable, NULL},
      {"openName", NULL, open_name, NULL, NULL, NULL, napi_enumerable, NULL},
      {"holderOfName", NULL, holder_of_name, NULL, NULL, NULL, napi_enumerable, NULL},
      {"request", NULL, send_in_background, NULL, NULL, NULL, napi_enumerable, NULL},
      {"closeOnExec", NULL, close_on_exec, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_socket, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  struct addon *addon = calloc(1, sizeof(*addon));
  if (addon == NULL) {
    napi_throw_error(env, "ENOMEM", "carpd_sockets: out of memory");
    return NULL;
  }
  addon->epoll_fd = -1;
  addon->stop_fd = -1;
  if (!check(env, napi_set_instance_data(env, addon, free_addon, NULL))) {
    free(addon);
    return NULL;
  }
  size_t count = sizeof(functions) / sizeof(functions[0]);
  if (!check(env, napi_define_properties(env, exports, count, functions))) return NULL;
  return exports;
}
