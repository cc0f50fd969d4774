// Tells JavaScript that a socket can be read. One thread waits in epoll for all of them; it hands
// over the number of the watch and nothing else, and the environment's own thread reads.
//
// Each socket is armed for one event (EPOLLONESHOT) and armed again when its callback has returned,
// so there is at most one wake-up under way for each watch, and a slow reader costs nothing. A
// watch has a number that is never used twice: a wake-up for a watch that has ended, or whose
// descriptor is another socket's by now, finds nobody and is dropped.
#include "carpd_sockets.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STOP_ID 0
#define EVENTS_MAX 64
#define STACK_BYTES (256 * 1024)

static void *watch_loop(void *data) {
  // Set before the thread was started and not changed while it runs: no lock is needed.
  struct addon *addon = data;
  struct epoll_event events[EVENTS_MAX];
  for (;;) {
    int count = epoll_wait(addon->epoll_fd, events, EVENTS_MAX, -1);
    if (count < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (int i = 0; i < count; i++) {
      if (events[i].data.u64 == STOP_ID) return NULL;
      void *id = (void *)(uintptr_t)events[i].data.u64;
      // The queue has no bound of its own; it can't hold more than one entry for each watch.
      if (napi_call_threadsafe_function(addon->wake, id, napi_tsfn_nonblocking) != napi_ok) {
        return NULL;
      }
    }
  }
  return NULL;
}

static bool arm(struct addon *addon, struct watched_socket *entry, int operation) {
  struct epoll_event event;
  memset(&event, 0, sizeof(event));
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.u64 = entry->watch_id;
  return epoll_ctl(addon->epoll_fd, operation, entry->fd, &event) == 0;
}

static struct watched_socket *find_watch(struct addon *addon, uintptr_t id) {
  struct watched_socket *entry = addon->sockets;
  while (entry != NULL && entry->watch_id != id) entry = entry->next;
  return entry;
}

// Node drops an exception that is left pending here with a mere warning. It must end the process
// like any other that nobody caught.
static void raise_pending(napi_env env) {
  bool pending = false;
  napi_value error = NULL;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(env, &error) != napi_ok) return;
  napi_fatal_exception(env, error);
}

// Runs on the environment's thread for every wake-up.
static void on_wake(napi_env env, napi_value unused, void *context, void *data) {
  (void)unused;
  struct addon *addon = context;
  uintptr_t id = (uintptr_t)data;
  if (env == NULL) return;
  struct watched_socket *entry = find_watch(addon, id);
  if (entry == NULL) return;
  napi_value callback = NULL;
  napi_value receiver = NULL;
  if (napi_get_reference_value(env, entry->callback, &callback) != napi_ok || callback == NULL ||
      napi_get_undefined(env, &receiver) != napi_ok) {
    return;
  }
  napi_call_function(env, receiver, callback, 0, NULL, NULL);
  raise_pending(env);
  // The callback may have closed this socket, or any other.
  entry = find_watch(addon, id);
  if (entry != NULL && !arm(addon, entry, EPOLL_CTL_MOD)) {
    throw_errno(env, "watch a socket again", errno);
    raise_pending(env);
  }
}

static void close_epoll(struct addon *addon) {
  if (addon->stop_fd >= 0) close(addon->stop_fd);
  if (addon->epoll_fd >= 0) close(addon->epoll_fd);
  addon->stop_fd = -1;
  addon->epoll_fd = -1;
}

// Ends the thread; runs when the environment ends, before the thread-safe function goes.
static void stop_watcher(void *data) {
  struct addon *addon = data;
  if (!addon->watcher_running) return;
  addon->watcher_running = false;
  uint64_t one = 1;
  ssize_t written;
  do {
    written = write(addon->stop_fd, &one, sizeof(one));
  } while (written < 0 && errno == EINTR);
  pthread_join(addon->thread, NULL);
  close_epoll(addon);
}

// 0, or an errno.
static int start_thread(struct addon *addon) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
  if (error == 0) {
    // Signals are for the threads that Node has set up for them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
      error = pthread_create(&addon->thread, &attributes, watch_loop, addon);
      pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
  }
  pthread_attr_destroy(&attributes);
  return error;
}

// 0, or an errno; what was made is left for the caller to close.
static int make_epoll(struct addon *addon) {
  addon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (addon->epoll_fd < 0) return errno;
  addon->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (addon->stop_fd < 0) return errno;
  struct epoll_event event;
  memset(&event, 0, sizeof(event));
  event.events = EPOLLIN;
  event.data.u64 = STOP_ID;
  return epoll_ctl(addon->epoll_fd, EPOLL_CTL_ADD, addon->stop_fd, &event) == 0 ? 0 : errno;
}

// The order matters: hooks run last in, first out, and the thread-safe function adds one of its
// own that frees it; the thread has to be gone by then.
static bool make_wake(napi_env env, struct addon *addon) {
  napi_value name = NULL;
  if (!check(env, napi_create_string_utf8(env, "carpd_sockets", NAPI_AUTO_LENGTH, &name)) ||
      !check(env, napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, addon,
                                                  on_wake, &addon->wake))) {
    return false;
  }
  // Nothing is watched yet: the process may end.
  if (check(env, napi_unref_threadsafe_function(env, addon->wake)) &&
      check(env, napi_add_env_cleanup_hook(env, stop_watcher, addon))) {
    return true;
  }
  napi_release_threadsafe_function(addon->wake, napi_tsfn_abort);
  return false;
}

static bool start_watcher(napi_env env, struct addon *addon) {
  if (addon->watcher_running) return true;
  int error = make_epoll(addon);
  if (error != 0) {
    close_epoll(addon);
    throw_errno(env, "start the watcher", error);
    return false;
  }
  if (!make_wake(env, addon)) {
    close_epoll(addon);
    return false;
  }
  error = start_thread(addon);
  if (error != 0) {
    napi_remove_env_cleanup_hook(env, stop_watcher, addon);
    napi_release_threadsafe_function(addon->wake, napi_tsfn_abort);
    close_epoll(addon);
    throw_errno(env, "start the watcher's thread", error);
    return false;
  }
  addon->watcher_running = true;
  return true;
}

static void forget_callback(napi_env env, struct watched_socket *entry) {
  entry->watch_id = 0;
  napi_delete_reference(env, entry->callback);
  entry->callback = NULL;
}

static void count_watched(napi_env env, struct addon *addon, int change) {
  bool had = addon->watched_count > 0;
  addon->watched_count = (unsigned)((int)addon->watched_count + change);
  bool has = addon->watched_count > 0;
  // What is watched keeps the process running, as an open socket of Node's own does.
  if (!had && has) napi_ref_threadsafe_function(env, addon->wake);
  if (had && !has) napi_unref_threadsafe_function(env, addon->wake);
}

// watch(fd, callback): calls back whenever the socket can be read or has an error to tell.
napi_value watch_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  struct addon *addon;
  napi_valuetype type = napi_undefined;
  if (!read_arguments(env, info, 2, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "watch");
  if (entry == NULL || !check(env, napi_typeof(env, arguments[1], &type))) return NULL;
  if (type != napi_function) {
    napi_throw_type_error(env, "EINVAL", "the callback must be a function");
    return NULL;
  }
  if (entry->watch_id != 0) return throw_errno(env, "watch", EEXIST);
  if (!start_watcher(env, addon)) return NULL;
  if (!check(env, napi_create_reference(env, arguments[1], 1, &entry->callback))) return NULL;
  addon->last_watch_id += 1;
  entry->watch_id = addon->last_watch_id;
  if (!arm(addon, entry, EPOLL_CTL_ADD)) {
    int error = errno;
    forget_callback(env, entry);
    return throw_errno(env, "watch", error);
  }
  count_watched(env, addon, 1);
  return undefined_value(env);
}

// unwatch(fd): the callback is not called again; nothing happens where none is set.
napi_value unwatch_socket(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  struct addon *addon;
  if (!read_arguments(env, info, 1, arguments, &addon)) return NULL;
  struct watched_socket *entry = find_socket(env, addon, arguments[0], "unwatch");
  if (entry == NULL) return NULL;
  end_watch(env, addon, entry);
  return undefined_value(env);
}

void end_watch(napi_env env, struct addon *addon, struct watched_socket *entry) {
  if (entry->watch_id == 0) return;
  epoll_ctl(addon->epoll_fd, EPOLL_CTL_DEL, entry->fd, NULL);
  forget_callback(env, entry);
  count_watched(env, addon, -1);
}
