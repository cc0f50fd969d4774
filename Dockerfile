# carpd in a container; docs/container.md says how to run it, and with which rights.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim
ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
# Where npm has to trust a certificate of your own: --build-arg NODE_EXTRA_CA_CERTS=FILE, and a
# volume with the file. An ARG is in the environment of RUN and not in the image.
ARG NODE_EXTRA_CA_CERTS
RUN export DEBIAN_FRONTEND=noninteractive \
  && apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# One folder, with the same pinned Node and addons as the Debian package.
RUN npm run build && node --import tsx packaging/tree.ts /tree

FROM ${BASE_IMAGE}
# tini is the init: a hook's children that lose their parent are reaped.
RUN export DEBIAN_FRONTEND=noninteractive \
  && apt-get update \
  && apt-get install -y --no-install-recommends iproute2 libstdc++6 tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log \
  && groupadd --system --gid 911 carpd \
  && useradd --system --uid 911 --gid carpd --no-create-home --shell /usr/sbin/nologin carpd \
  && install -d -o carpd -g root -m 0770 /run/carpd /var/lib/carpd \
  && install -d /etc/carpd \
  && ln -s ../lib/carpd/bin/carpd /usr/sbin/carpd \
  && ln -s ../lib/carpd/bin/ucarp /usr/sbin/ucarp
COPY --from=build /tree /usr/lib/carpd
# It says whether the daemon answers. A backup or held instance is healthy.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s CMD ["carpd", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "carpd"]
CMD ["run", "--config", "/etc/carpd/carpd.yaml"]
