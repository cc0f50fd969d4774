// Names in the abstract namespace of Unix sockets: there is one for each network namespace, and the
// kernel keeps a name for as long as the process that took it lives.
#include "carpd_sockets.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

// False: has thrown. `value` is the name without the NUL byte that an abstract one begins with.
static bool read_name(napi_env env, napi_value value, struct sockaddr_un *address,
                      socklen_t *address_length) {
  size_t length = 0;
  memset(address, 0, sizeof(*address));
  address->sun_family = AF_UNIX;
  char *name = address->sun_path + 1;
  // One byte more than may be used shows a name that was cut.
  char given[sizeof(address->sun_path) + 1];
  if (!check(env, napi_get_value_string_utf8(env, value, given, sizeof(given), &length))) {
    return false;
  }
  if (length == 0 || length > sizeof(address->sun_path) - 1) {
    throw_errno(env, "take a name", length == 0 ? EINVAL : ENAMETOOLONG);
    return false;
  }
  memcpy(name, given, length);
  *address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  return true;
}

// openName(name): takes the name until it is closed; EADDRINUSE where somebody has it.
napi_value open_name(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  struct sockaddr_un address;
  socklen_t address_length = 0;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  if (!read_name(env, arguments[0], &address, &address_length)) return NULL;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, "take a name", errno);
  // Who connects learns by SO_PEERCRED who listens: it is the process that called listen.
  if (bind(fd, (struct sockaddr *)&address, address_length) != 0 || listen(fd, BACKLOG) != 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, "take a name", error);
  }
  return register_socket(env, addon, SOCKET_NAME, fd, 0);
}

// Whoever asked has the answer already, which is the kernel's: callers are let go at once.
void drop_callers(int fd) {
  for (;;) {
    int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    if (caller >= 0) close(caller);
    else if (errno != EINTR && errno != ECONNABORTED) return;
  }
}

// holderOfName(name): {pid, uid} of the process that has the name, undefined if nobody has. The pid
// is 0 for a process of a pid namespace that can't be seen from here. EAGAIN: somebody has it, and
// it can't be told who.
napi_value holder_of_name(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  struct sockaddr_un address;
  socklen_t address_length = 0;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  if (!read_name(env, arguments[0], &address, &address_length)) return NULL;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(env, "ask for a name", errno);
  struct ucred credentials;
  socklen_t size = sizeof(credentials);
  int error = 0;
  if (connect(fd, (struct sockaddr *)&address, address_length) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    error = errno;
  }
  close(fd);
  if (error == ECONNREFUSED) return undefined_value(env);
  if (error != 0) return throw_errno(env, "ask for a name", error);
  napi_value result = NULL;
  napi_value pid = NULL;
  napi_value uid = NULL;
  if (!check(env, napi_create_object(env, &result)) ||
      !check(env, napi_create_int32(env, credentials.pid, &pid)) ||
      !check(env, napi_set_named_property(env, result, "pid", pid)) ||
      !check(env, napi_create_uint32(env, credentials.uid, &uid)) ||
      !check(env, napi_set_named_property(env, result, "uid", uid))) {
    return NULL;
  }
  return result;
}
