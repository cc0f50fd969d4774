// What concerns the process as a whole: no descriptor for its children.
#include "carpd_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_AFTER_STDIO 3

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

// 0, or an errno. For kernels before 5.11, which have no close_range with this flag.
static int close_on_exec_one_by_one(void) {
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) return errno;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    char *end = NULL;
    long fd = strtol(entry->d_name, &end, 10);
    if (end == entry->d_name || *end != '\0' || fd < FIRST_AFTER_STDIO) continue;
    int flags = fcntl((int)fd, F_GETFD);
    // EBADF: another thread has closed it meanwhile.
    if (flags >= 0) fcntl((int)fd, F_SETFD, flags | FD_CLOEXEC);
  }
  closedir(folder);
  return 0;
}

// closeOnExec(): every descriptor but the standard ones gets FD_CLOEXEC, whoever opened it.
napi_value close_on_exec(napi_env env, napi_callback_info info) {
  (void)info;
#ifdef SYS_close_range
  if (syscall(SYS_close_range, FIRST_AFTER_STDIO, ~0U, CLOSE_RANGE_CLOEXEC) == 0) {
    return undefined_value(env);
  }
#endif
  int error = close_on_exec_one_by_one();
  if (error != 0) return throw_errno(env, "close descriptors on exec", error);
  return undefined_value(env);
}
