// Requests to the kernel by netlink, sent from another thread. The kernel answers a request while
// it is being sent, and for that waits for whoever is changing interfaces meanwhile (rtnl_lock): a
// loop that sent it would stand still. The answers come in as events do, in the kernel's own order.
#include "carpd_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct request {
  napi_async_work work;
  napi_ref callback;
  int fd;
  int error;
  size_t length;
  unsigned char bytes[];
};

// Runs on a thread of libuv's pool.
static void send_request(napi_env env, void *data) {
  (void)env;
  struct request *request = data;
  struct sockaddr_nl kernel;
  memset(&kernel, 0, sizeof(kernel));
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = sendto(request->fd, request->bytes, request->length, 0, (struct sockaddr *)&kernel,
                  sizeof(kernel));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) request->error = errno;
  else if ((size_t)sent != request->length) request->error = EMSGSIZE;
}

static void free_request(napi_env env, struct request *request) {
  if (request->fd >= 0) close(request->fd);
  if (request->callback != NULL) napi_delete_reference(env, request->callback);
  if (request->work != NULL) napi_delete_async_work(env, request->work);
  free(request);
}

// Runs on the environment's own thread. The callback is given an Error, or nothing.
static void request_sent(napi_env env, napi_status status, void *data) {
  struct request *request = data;
  napi_value callback = NULL;
  napi_value receiver = NULL;
  napi_value error = NULL;
  int failed = status == napi_ok ? request->error : ECANCELED;
  bool ready = napi_get_reference_value(env, request->callback, &callback) == napi_ok &&
               callback != NULL && napi_get_undefined(env, &receiver) == napi_ok;
  free_request(env, request);
  if (!ready) return;
  error = receiver;
  if (failed != 0) {
    throw_errno(env, "send", failed);
    if (napi_get_and_clear_last_exception(env, &error) != napi_ok) return;
  }
  napi_call_function(env, receiver, callback, 1, &error, NULL);
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

static bool queue(napi_env env, struct request *request, napi_value callback) {
  napi_value name = NULL;
  return check(env, napi_create_reference(env, callback, 1, &request->callback)) &&
         check(env, napi_create_string_utf8(env, "carpd_request", NAPI_AUTO_LENGTH, &name)) &&
         check(env, napi_create_async_work(env, NULL, name, send_request, request_sent, request,
                                           &request->work)) &&
         check(env, napi_queue_async_work(env, request->work));
}

// request(fd, bytes, callback): sends to the kernel on another thread, then calls back, also where
// the socket was closed meanwhile. EBADF, EINVAL: nothing is sent, and nothing called back.
napi_value send_in_background(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  struct addon *addon;
  const void *data = NULL;
  size_t length = 0;
  napi_valuetype type = napi_undefined;
  if (!read_arguments(env, info, 3, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "send");
  if (entry == NULL || !read_bytes(env, arguments[1], &data, &length)) return NULL;
  if (!check(env, napi_typeof(env, arguments[2], &type))) return NULL;
  if (entry->kind != SOCKET_NETLINK || type != napi_function) {
    return throw_errno(env, "send", EINVAL);
  }
  struct request *request = calloc(1, sizeof(*request) + length);
  if (request == NULL) return throw_errno(env, "send", ENOMEM);
  memcpy(request->bytes, data, length);
  request->length = length;
  // One of its own: the number of a socket that is closed meanwhile may be another file's.
  request->fd = fcntl(entry->fd, F_DUPFD_CLOEXEC, 0);
  if (request->fd < 0) {
    int error = errno;
    free_request(env, request);
    return throw_errno(env, "send", error);
  }
  if (!queue(env, request, arguments[2])) {
    free_request(env, request);
    return NULL;
  }
  return undefined_value(env);
}
