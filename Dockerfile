# The proxy as a container: a sidecar beside a program that needs verified mail, or a small mail gateway.
# The state directory must outlive the container: a store on a throw-away disk trusts on first use again.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No package needs to run anything when it is installed: LevelDB comes prebuilt.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev

FROM ${NODE_IMAGE}
# The operating system's CA bundle; without it letterlock falls back to the roots that came with Node.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --home-dir /var/lib/letterlock --shell /usr/sbin/nologin letterlock \
  && chmod 0700 /var/lib/letterlock
WORKDIR /opt/letterlock
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
RUN ln -s /opt/letterlock/dist/cmd/letterlock.js /usr/local/bin/letterlock
USER letterlock
VOLUME /var/lib/letterlock
ENV NODE_ENV=production
ENTRYPOINT ["letterlock"]
CMD ["run", "-c", "/etc/letterlock/letterlock.yaml"]
