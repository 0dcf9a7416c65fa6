# The server, the worker and the `sotto` command, with the native kernels.
#
#     docker build --tag sotto .
#     docker run --read-only --tmpfs /tmp --volume sotto:/data --publish 127.0.0.1:8080:8080 sotto
#
# Base images are pinned by tag. Where builds must be the same for ever, pin the digest that your registry shows for the tag:
# `FROM debian:12.12-slim@sha256:...`. tools/check_dockerfile.ts runs the same steps without an engine.

FROM node:22.21.1-bookworm-slim AS build
# Debian's compilers of the release that the base image is; their versions move with its security updates.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates cmake g++ make \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /sotto
ENV DENO_DIR=/sotto/.deno
RUN npm install --prefix /opt/deno --no-audit --no-fund deno@2.9.6 \
  && install -D "$(find /opt/deno/node_modules/@deno -name deno -type f)" /usr/local/bin/deno
COPY deno.json deno.lock ./
COPY kernels kernels
COPY params params
COPY tools tools
COPY errors.ts ./
RUN deno run -A --no-config tools/build.ts --target sotto \
  && install -D build/kernels/libsotto.so lib/libsotto.so \
  && rm -rf build
COPY . .
# What the server and the command import, nothing that only tests or generators need. From here on Deno leaves node_modules as it is.
RUN deno install --frozen --entrypoint main.ts cli/main.ts \
  && deno run -A --node-modules-dir=manual tools/prune_packages.ts main.ts cli/main.ts \
  && rm -rf kernels \
  && mkdir -p /data && chown 65534:65534 /data

FROM debian:12.12-slim AS runtime
LABEL org.opencontainers.image.title="Sotto" \
  org.opencontainers.image.description="An encrypted machine-learning server" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/bin/deno /usr/local/bin/deno
COPY --from=build /sotto /sotto
COPY --from=build --chown=65534:65534 /data /data
WORKDIR /sotto
ENV DENO_DIR=/sotto/.deno \
  DENO_NO_UPDATE_CHECK=1 \
  SOTTO_DATA_DIR=/data \
  SOTTO_HOST=0.0.0.0 \
  SOTTO_LIBRARY=/sotto/lib/libsotto.so
USER 65534:65534
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 \
  CMD ["deno", "run", "-A", "--no-check", "--cached-only", "--node-modules-dir=manual", "cli/main.ts", "health"]
ENTRYPOINT ["deno", "run", "-A", "--no-check", "--cached-only", "--node-modules-dir=manual", "main.ts"]
CMD ["serve"]
