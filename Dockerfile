# syntax=docker/dockerfile:1
# The image runs as a user of its own, with a Postgres inside for who gives no database.url. The volume /data holds
# everything; the root may be read-only.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY .sqlx .sqlx
COPY benches benches
COPY config config
COPY migrations migrations
COPY src src
ENV SQLX_OFFLINE=true
RUN cargo build --release --locked --bin strongroom

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-15 ca-certificates \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15/main \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin strongroom \
    && install -d -o strongroom -g strongroom -m 0700 /data
COPY --from=build /src/target/release/strongroom /usr/local/bin/strongroom
COPY config/docker.toml /etc/strongroom/strongroom.toml
USER strongroom
VOLUME /data
EXPOSE 4873
STOPSIGNAL SIGTERM
ENTRYPOINT ["strongroom", "--config", "/etc/strongroom/strongroom.toml"]
CMD ["serve"]
