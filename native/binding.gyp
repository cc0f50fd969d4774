{
  "targets": [
    {
      "target_name": "carpd_sockets",
      "sources": [
        "module.c",
        "sockets.c",
        "packet_socket.c",
        "datagram.c",
        "names.c",
        "process.c",
        "requests.c",
        "watcher.c"
      ],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags": ["-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-std=c11", "-fvisibility=hidden"],
      "libraries": ["-lpthread"]
    }
  ]
}
