// What all sockets share: errors with errno names, reading of arguments, the registry.
#include "carpd_sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME(constant) \
  case constant:       \
    return #constant

// glibc has strerrorname_np, other C libraries do not.
static const char *errno_name(int error) {
  switch (error) {
    NAME(EPERM);
    NAME(ENOENT);
    NAME(EINTR);
    NAME(EIO);
    NAME(ENXIO);
    NAME(EBADF);
    NAME(EAGAIN);
    NAME(ENOMEM);
    NAME(EACCES);
    NAME(EFAULT);
    NAME(EBUSY);
    NAME(EEXIST);
    NAME(ENODEV);
    NAME(ENOTDIR);
    NAME(EINVAL);
    NAME(ENFILE);
    NAME(EMFILE);
    NAME(ENOSPC);
    NAME(EPIPE);
    NAME(ENAMETOOLONG);
    NAME(ENOSYS);
    NAME(EPROTO);
    NAME(EOVERFLOW);
    NAME(ENOTSOCK);
    NAME(EDESTADDRREQ);
    NAME(EMSGSIZE);
    NAME(EPROTOTYPE);
    NAME(ENOPROTOOPT);
    NAME(EPROTONOSUPPORT);
    NAME(EOPNOTSUPP);
    NAME(EAFNOSUPPORT);
    NAME(EADDRINUSE);
    NAME(EADDRNOTAVAIL);
    NAME(ENETDOWN);
    NAME(ENETUNREACH);
    NAME(ENETRESET);
    NAME(ECONNREFUSED);
    NAME(ECONNRESET);
    NAME(ENOBUFS);
    NAME(ECANCELED);
    NAME(ECONNABORTED);
    NAME(ENOTCONN);
    NAME(EHOSTDOWN);
    NAME(EHOSTUNREACH);
    default:
      return NULL;
  }
}

napi_value throw_errno(napi_env env, const char *operation, int error) {
  char unknown[24];
  char message[160];
  const char *name = errno_name(error);
  if (name == NULL) {
    snprintf(unknown, sizeof(unknown), "E%d", error);
    name = unknown;
  }
  snprintf(message, sizeof(message), "%s: %s (%s)", operation, strerror(error), name);
  napi_throw_error(env, name, message);
  return NULL;
}

bool check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return false;
  const napi_extended_error_info *info = NULL;
  const char *message = NULL;
  if (napi_get_last_error_info(env, &info) == napi_ok && info != NULL) {
    message = info->error_message;
  }
  napi_throw_error(env, "ENAPI", message != NULL ? message : "a Node-API call failed");
  return false;
}

bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                    struct addon **addon) {
  size_t given = count;
  if (!check(env, napi_get_cb_info(env, info, &given, values, NULL, NULL))) return false;
  void *data = NULL;
  if (!check(env, napi_get_instance_data(env, &data))) return false;
  if (data == NULL) {
    napi_throw_error(env, "ENAPI", "carpd_sockets: used after its environment has ended");
    return false;
  }
  *addon = data;
  return true;
}

bool read_int(napi_env env, napi_value value, int *number) {
  // napi_get_value_int32 silently wraps and turns NaN into 0: a wrong number must be an error.
  double given = 0;
  if (napi_get_value_double(env, value, &given) == napi_ok && given >= INT32_MIN &&
      given <= INT32_MAX && given == (double)(int)given) {
    *number = (int)given;
    return true;
  }
  napi_throw_type_error(env, "EINVAL", "an argument must be a whole 32-bit number");
  return false;
}

bool read_bool(napi_env env, napi_value value, bool *truth) {
  if (napi_get_value_bool(env, value, truth) == napi_ok) return true;
  napi_throw_type_error(env, "EINVAL", "an argument must be true or false");
  return false;
}

bool read_bytes(napi_env env, napi_value value, const void **data, size_t *length) {
  bool is_array = false;
  napi_typedarray_type type = napi_int8_array;
  void *bytes = NULL;
  size_t count = 0;
  if (napi_is_typedarray(env, value, &is_array) == napi_ok && is_array &&
      napi_get_typedarray_info(env, value, &type, &count, &bytes, NULL, NULL) == napi_ok &&
      type == napi_uint8_array) {
    // The address of no bytes may be NULL; the kernel wants none, and memcpy wants a real one.
    *data = count == 0 ? (const void *)"" : bytes;
    *length = count;
    return true;
  }
  napi_throw_type_error(env, "EINVAL", "an argument must be a Uint8Array");
  return false;
}

bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_undefined;
}

struct watched_socket *find_socket(napi_env env, struct addon *addon, napi_value value,
                                   const char *operation) {
  int fd = -1;
  if (!read_int(env, value, &fd)) return NULL;
  for (struct watched_socket *entry = addon->sockets; entry != NULL; entry = entry->next) {
    if (entry->fd == fd) return entry;
  }
  throw_errno(env, operation, EBADF);
  return NULL;
}

napi_value register_socket(napi_env env, struct addon *addon, enum socket_kind kind, int fd,
                           int ifindex) {
  napi_value number = NULL;
  struct watched_socket *entry = calloc(1, sizeof(*entry));
  if (entry == NULL) {
    close(fd);
    return throw_errno(env, "open", ENOMEM);
  }
  if (!check(env, napi_create_int32(env, fd, &number))) {
    close(fd);
    free(entry);
    return NULL;
  }
  entry->kind = kind;
  entry->fd = fd;
  entry->ifindex = ifindex;
  entry->next = addon->sockets;
  addon->sockets = entry;
  return number;
}

napi_value undefined_value(napi_env env) {
  napi_value value = NULL;
  return check(env, napi_get_undefined(env, &value)) ? value : NULL;
}
