# Dockerfile - images of fraiseqld.
#
#   docker build -t fraiseqld .                     on Debian slim: with a shell, and a package database for scanners
#   docker build -t fraiseqld --target minimal .    the program and the libraries it needs, nothing else
#
# Both run as 10001:10001, on a root that may be read-only, and answer on 8080, probes and metrics on 9090.
# Configuration is /etc/fraiseqld/fraiseqld.yaml, or variables: see docs/deployment.md.

ARG BASE=debian:bookworm-slim

# --- the Debian package ---------------------------------------------------------------------------------

FROM ${BASE} AS build
WORKDIR /src
COPY tests/support/deps tests/support/
RUN tests/support/deps build && tests/support/deps deb
COPY . .
ARG REVISION=unknown
ARG SOURCE_DATE_EPOCH
RUN make -j"$(nproc)" REVISION="${REVISION}" all manual && make REVISION="${REVISION}" deb

# --- what is installed ----------------------------------------------------------------------------------

FROM ${BASE} AS installed
ARG SOURCE_DATE_EPOCH
RUN --mount=type=bind,from=build,source=/src,target=/mnt \
    apt-get -qq update && \
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        ca-certificates tzdata /mnt/build/deb/fraiseqld_*.deb && \
    echo 'fraiseqld:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd && \
    echo 'fraiseqld:x:10001:' >> /etc/group && \
    /mnt/packaging/sbom > /usr/share/doc/fraiseqld/sbom.cdx.json && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache /var/log/*

# --- minimal --------------------------------------------------------------------------------------------

FROM installed AS closure
USER 0
COPY packaging/closure packaging/sbom /packaging/
ARG SOURCE_DATE_EPOCH
RUN /packaging/closure /closure

FROM scratch AS minimal
COPY --from=closure /closure /
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="fraiseqld" \
      org.opencontainers.image.description="GraphQL server for PostgreSQL" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="${SOURCE}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="The fraiseqld authors"
# Probes come from outside of the container.
ENV FRAISEQLD_SERVER__ADMIN_LISTEN=0.0.0.0:9090
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/usr/bin/fraiseqld", "health", "--live"]
ENTRYPOINT ["/usr/bin/fraiseqld"]
CMD ["serve"]

# --- slim, the default ----------------------------------------------------------------------------------

FROM installed AS slim
ARG BASE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="fraiseqld" \
      org.opencontainers.image.description="GraphQL server for PostgreSQL" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.documentation="${SOURCE}" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.vendor="The fraiseqld authors" \
      org.opencontainers.image.base.name="${BASE}"
ENV FRAISEQLD_SERVER__ADMIN_LISTEN=0.0.0.0:9090
USER 10001:10001
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/usr/bin/fraiseqld", "health", "--live"]
ENTRYPOINT ["/usr/bin/fraiseqld"]
CMD ["serve"]
